"""A real, small CLIP, written in the on-disk format of the published ones and read back by the same code."""

import json

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from skinframe_clip import OpenClip
from skinframe_clip.clip_weights import CONFIG_FILE, WEIGHTS_FILE

from skinframe import DataError, RecipeError

SMALL = {
    "embed_dim": 24,
    "quick_gelu": True,
    "vision_cfg": {"image_size": 48, "layers": 2, "width": 32, "patch_size": 16, "head_width": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}


def write(folder, model_cfg=SMALL, preprocess=None):
    from open_clip import CLIP

    torch.manual_seed(5)
    model = CLIP(**SMALL).eval()
    folder.mkdir(exist_ok=True)
    save_file(model.state_dict(), folder / WEIGHTS_FILE)
    written = {"model_cfg": model_cfg, "preprocess_cfg": preprocess or {"mean": [0.5] * 3, "std": [0.25] * 3}}
    (folder / CONFIG_FILE).write_text(json.dumps(written))
    return model


def pictures(n=3):
    generator = torch.Generator().manual_seed(1)
    return [
        Image.fromarray(torch.randint(0, 256, (60, 80, 3), generator=generator, dtype=torch.uint8).numpy())
        for _ in range(n)
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("clip") / "small"
    write(place)
    return place


def encoder(folder, **options):
    return OpenClip(OpenClip.Config(model=str(folder), **options))


def test_tower_gives_what_the_model_itself_gives(folder):
    from open_clip import CLIP

    model = CLIP(**SMALL).eval()
    from open_clip import get_tokenizer, load_checkpoint

    load_checkpoint(model, str(folder / WEIGHTS_FILE))
    model.visual.output_tokens = True
    component = encoder(folder)
    tower = component.load("cpu")
    transform = component.preprocess(component.source()).transform()
    pixels = torch.stack([transform(image) for image in pictures()])
    texts = ["a pigmented lesion", "melanoma with an atypical network"]
    with torch.inference_mode():
        pooled, tokens = model.visual(pixels)
        wanted_text = model.encode_text(get_tokenizer("ViT-L-14")(texts), normalize=True)
    out = tower.images(pictures())
    torch.testing.assert_close(out["image_tokens"], tokens)
    torch.testing.assert_close(out["image_embedding"], pooled / pooled.norm(dim=-1, keepdim=True))
    torch.testing.assert_close(tower.texts(texts), wanted_text)
    assert tower.logit_scale == pytest.approx(1 / 0.07)
    assert tower.calls == 2


@pytest.mark.parametrize("options", [{}, {"grid": 1}, {"layer": -2}, {"precision": "bf16"}, {"fit": "squash"}])
def test_shapes_are_those_promised(folder, options):
    component = encoder(folder, **options)
    tower = component.load("cpu")
    out = tower.images(pictures()) | {"text_embedding": tower.texts(["a", "b", "c"])}
    assert {name: tuple(value.shape[1:]) for name, value in out.items()} == dict(component.provides())
    assert all(value.dtype == torch.float32 and value.isfinite().all() for value in out.values())
    torch.testing.assert_close(out["image_embedding"].norm(dim=-1), torch.ones(3), rtol=1e-5, atol=1e-5)


def test_low_precision_stays_near_full(folder):
    full, low = (encoder(folder, precision=p).load("cpu").images(pictures()) for p in ("fp32", "bf16"))
    assert (full["image_embedding"] * low["image_embedding"]).sum(-1).min() > 0.999
    assert not torch.equal(full["image_tokens"], low["image_tokens"])


def test_layer_and_grid_change_tokens_not_the_embedding(folder):
    last, before = (encoder(folder, layer=layer).load("cpu").images(pictures()) for layer in (-1, -2))
    assert torch.equal(last["image_embedding"], before["image_embedding"])
    assert not torch.allclose(last["image_tokens"], before["image_tokens"])
    mean = encoder(folder, grid=1).load("cpu").images(pictures())["image_tokens"]
    torch.testing.assert_close(mean, last["image_tokens"].mean(1, keepdim=True))


def test_digest_follows_everything_that_changes_the_output(folder, tmp_path):
    base = encoder(folder).digest()
    changed = [
        encoder(folder, **o).digest() for o in ({"precision": "bf16"}, {"layer": -2}, {"grid": 1}, {"fit": "squash"})
    ]
    other = tmp_path / "other"
    write(other, preprocess={"mean": [0.4] * 3, "std": [0.25] * 3})
    changed.append(encoder(other).digest())
    same = tmp_path / "same"
    write(same)
    assert encoder(same).digest() == base
    flipped = bytearray((same / WEIGHTS_FILE).read_bytes())
    flipped[-1] ^= 1
    (same / WEIGHTS_FILE).write_bytes(flipped)
    changed.append(encoder(same).digest())
    assert len({base, *changed}) == len(changed) + 1


def test_counts_match_the_loaded_model(folder):
    image, text = encoder(folder).modules()
    model = encoder(folder).load("cpu").model
    assert image.parameters == sum(p.numel() for p in model.visual.parameters())
    assert image.parameters + text.parameters == sum(p.numel() for p in model.parameters())
    assert not any(p.requires_grad for p in model.parameters())


def test_truncated_or_foreign_weights_are_refused(tmp_path):
    write(tmp_path)
    whole = (tmp_path / WEIGHTS_FILE).read_bytes()
    (tmp_path / WEIGHTS_FILE).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RecipeError, match=f"{WEIGHTS_FILE}: has .* its header describes"):
        encoder(tmp_path).provides()
    save_file({"visual.proj": torch.zeros(2)}, tmp_path / WEIGHTS_FILE)
    with pytest.raises(DataError, match="not a checkpoint"):
        encoder(tmp_path).load("cpu")


@pytest.mark.gate("E2")
def test_pickled_weights_are_never_read(tmp_path):
    write(tmp_path)
    (tmp_path / WEIGHTS_FILE).rename(tmp_path / "open_clip_pytorch_model.bin")
    component = encoder(tmp_path)
    assert "pickled checkpoints are not read" in component.missing()[0].next_step
    with pytest.raises(RecipeError, match=WEIGHTS_FILE):
        component.load("cpu")


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [
        ("vision_cfg", "timm_model_name", "vit_tiny"),
        ("text_cfg", "hf_model_name", "org/model"),
        ("text_cfg", "tokenizer_kwargs", {"trust_remote_code": True}),
        ("vision_cfg", "layers", [3, 4, 6, 3]),
    ],
)
def test_configs_that_reach_outside_are_refused(tmp_path, part, key, value):
    write(tmp_path, model_cfg={**SMALL, part: {**SMALL[part], key: value}})
    with pytest.raises(RecipeError, match=key):
        encoder(tmp_path).provides()


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"model_cfg": {"embed_dim": "x", "vision_cfg": {}, "text_cfg": {}}}']
)
def test_broken_configs_are_recipe_errors(tmp_path, text):
    (tmp_path / CONFIG_FILE).write_text(text)
    with pytest.raises(RecipeError, match=CONFIG_FILE if len(text) < 3 else "model_cfg"):
        encoder(tmp_path).provides()
