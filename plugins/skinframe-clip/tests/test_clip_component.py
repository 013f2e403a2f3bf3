"""The component without its weights: shapes, counts, requirements and refusals, from the architecture alone."""

import json
import subprocess
import sys

import pytest
from skinframe_clip import OpenClip
from skinframe_clip.clip_weights import OPENAI, architectures

from skinframe import RecipeError

LARGE = OpenClip.Config(model="ViT-L-14", pretrained="openai")


@pytest.fixture
def no_hub(monkeypatch, tmp_path):
    """An empty hub cache, so that the test does not depend on what this machine holds."""
    import huggingface_hub.constants as constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))


def test_large_counts_are_those_of_the_published_model(no_hub):
    image, text = OpenClip(LARGE).modules()
    # 303,179,776 up to ln_post and 1,024 x 768 of the projection; text tower with the logit scale; total as published
    assert image.parameters == 303_179_776 + 1024 * 768 == 303_966_208
    assert image.parameters + text.parameters == 427_616_513
    assert image.bytes == 4 * image.parameters
    assert (image.role, text.role) == ("frozen", "frozen")


def test_bf16_keeps_norms_and_embeddings_in_fp32(no_hub):
    image, _ = OpenClip(OpenClip.Config(model="ViT-L-14", pretrained="openai", precision="bf16")).modules()
    norms_and_embeddings = (24 * 2 + 2) * 2 * 1024 + 257 * 1024 + 1024
    assert image.bytes == 2 * image.parameters + 2 * norms_and_embeddings


def test_flops_agree_with_a_count_of_the_real_tower(no_hub):
    import torch
    from open_clip import CLIP
    from torch.utils.flop_counter import FlopCounterMode

    encoder = OpenClip(LARGE)
    source = encoder.source()
    with torch.device("meta"):
        visual = CLIP(**source.architecture).visual.train()  # train: no fused kernel that the counter cannot see
        counter = FlopCounterMode(display=False)
        with counter:
            visual(torch.empty(1, 3, 224, 224))
    assert encoder.architecture(source).flops == pytest.approx(counter.get_total_flops(), rel=0.01)
    assert encoder.architecture(source).flops == pytest.approx(0.162e12, rel=0.01)


def test_large_provides_patches_before_the_projection(no_hub):
    assert OpenClip(LARGE).provides() == {
        "image_tokens": (256, 1024),
        "image_embedding": (768,),
        "text_embedding": (768,),
    }
    pooled = OpenClip(OpenClip.Config(model="ViT-L-14", pretrained="openai", grid=8))
    assert pooled.provides()["image_tokens"] == (64, 1024)


def test_missing_weights_name_the_next_step_and_load_refuses(no_hub):
    encoder = OpenClip(LARGE)
    (requirement,) = encoder.missing()
    assert requirement.kind == "weights"
    assert requirement.next_step == "hf download timm/vit_large_patch14_clip_224.openai open_clip_model.safetensors"
    with pytest.raises(RecipeError, match="hf download timm/vit_large"):
        encoder.load("cpu")


def test_unknown_hub_model_is_missing_not_broken(no_hub):
    encoder = OpenClip(OpenClip.Config(model="hf-hub:laion/CLIP-ViT-B-32-laion2B-s34B-b79K"))
    assert encoder.missing()[0].next_step == "hf download laion/CLIP-ViT-B-32-laion2B-s34B-b79K"
    with pytest.raises(RecipeError, match="not on this machine"):
        encoder.provides()


@pytest.mark.parametrize("name", OPENAI)
def test_table_of_published_weights_agrees_with_open_clip(name):
    from open_clip import get_pretrained_cfg

    config, repository = OPENAI[name]
    published = get_pretrained_cfg(name, "openai")
    assert published["hf_hub"].strip("/") == repository
    written = json.loads(architectures()[config].read_text())
    assert written["quick_gelu"] is published["quick_gelu"] is True


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "ViT-L-41", "pretrained": "openai"}, "did you mean 'ViT-L-14'"),
        ({"model": "ViT-L-14", "pretrained": "laion"}, "hf-hub:ORG/REPO"),
        ({"model": "ViT-L-14"}, "needs `pretrained`"),
        ({"model": "no/such/folder"}, "no such folder or architecture"),
        ({"model": "hf-hub:../../etc"}, "not a hub id"),
        ({"model": "ViT-L-14", "pretrained": "openai", "layer": -25}, "24 blocks"),
        ({"model": "ViT-L-14", "pretrained": "openai", "grid": 17}, "finer than"),
    ],
)
def test_wrong_names_are_explained(no_hub, options, message):
    with pytest.raises(RecipeError, match=message):
        OpenClip(OpenClip.Config(**options)).provides()


@pytest.mark.parametrize(
    "options",
    [{"precision": "int8"}, {"layer": 0}, {"grid": 0}, {"fit": "crop"}, {"model": "embedded:clip", "pretrained": "x"}],
)
def test_options_out_of_range_are_refused(options):
    with pytest.raises(ValueError, match=r"must|layer|pretrained"):
        OpenClip.Config(**options)


def test_plugin_and_its_plan_load_no_torch(tmp_path):
    code = (
        "import sys, skinframe_clip as c\n"
        "e = c.OpenClip(c.OpenClip.Config(model='ViT-L-14', pretrained='openai'))\n"
        "e.provides(), e.missing(), e.digest(); c.HashedText().provides()\n"
        "t = c.Timm(c.Timm.Config(weights='absent.safetensors')); t.provides(), t.missing(), t.digest()\n"
        "bad = {'torch', 'open_clip', 'timm', 'transformers'} & set(sys.modules)\n"
        "sys.exit(f'loaded {bad}' if bad else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
