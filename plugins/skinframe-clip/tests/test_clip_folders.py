"""Folders of CLIP models: the transformers format is read; code, pointers and half downloads are refused by name."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from skinframe_clip import OpenClip, Timm

from skinframe import DataError, RecipeError, SkinframeError
from skinframe.weight_location import resolve

CANARY = "import pathlib; pathlib.Path(__file__).with_name('canary').write_text('ran')"
TEXT = {"vocab_size": 49408, "hidden_size": 32, "intermediate_size": 96, "num_hidden_layers": 2, "hidden_act": "gelu"}
TEXT |= {"num_attention_heads": 2, "max_position_embeddings": 77, "eos_token_id": 49407, "bos_token_id": 49406}
VISION = {"hidden_size": 48, "intermediate_size": 96, "num_hidden_layers": 3, "num_attention_heads": 3}
VISION |= {"image_size": 32, "patch_size": 8, "hidden_act": "gelu"}


def encoder(folder: Path) -> OpenClip:
    return OpenClip(OpenClip.Config(model=str(folder)))


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random CLIP as `hf download` of a transformers repository leaves it."""
    import torch
    from transformers import CLIPConfig, CLIPModel

    folder = tmp_path_factory.mktemp("clip")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = CLIPModel(CLIPConfig(text_config=TEXT, vision_config=VISION, projection_dim=24))
        with torch.no_grad():  # biases start at zero, which would hide one in the wrong place
            for parameter in model.parameters():
                parameter.add_(0.05 * torch.randn_like(parameter))
    model.save_pretrained(folder)
    return folder


@pytest.fixture
def copy(published: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(published, tmp_path / "copy"))


@pytest.fixture
def embedded(tmp_path: Path) -> Path:
    return Path(shutil.copytree(resolve("embedded:clip"), tmp_path / "embedded"))


def test_a_transformers_clip_gives_what_transformers_computes(published: Path) -> None:
    import numpy as np
    import torch
    from PIL import Image
    from transformers import CLIPModel

    component, texts = encoder(published), ["a melanoma", "nevus on the back, 45 years"]
    assert component.missing() == []
    tower: Any = component.load("cpu")
    image = Image.fromarray(np.random.default_rng(0).integers(0, 255, (32, 40, 3), dtype=np.uint8))
    pixels = component.preprocess(component.source()).transform()(image)[None]
    model: Any = CLIPModel.from_pretrained(published).eval()
    with torch.no_grad():
        seen = model.visual_projection(model.vision_model(pixel_values=pixels).pooler_output)
        read = model.text_projection(model.text_model(input_ids=tower.tokenizer(texts)).pooler_output)
    torch.testing.assert_close(tower.images([image])["image_embedding"], seen / seen.norm(dim=-1, keepdim=True))
    torch.testing.assert_close(tower.texts(texts), read / read.norm(dim=-1, keepdim=True))
    assert component.provides()["image_tokens"] == (16, 48)


def test_no_message_leads_in_a_circle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, published: Path) -> None:
    """After `hf download` of the transformers repository its folder is read; without weights another one is named."""
    import skinframe_clip.clip_weights as clip_weights

    folder = tmp_path / "models--openai--clip" / "snapshots" / "0"
    shutil.copytree(published, folder)
    monkeypatch.setattr(clip_weights, "_cached", lambda _, name: folder / name if (folder / name).is_file() else None)
    component = OpenClip(OpenClip.Config(model="hf-hub:openai/clip"))
    assert component.missing() == []
    (folder / "model.safetensors").unlink()
    [missing] = component.missing()
    assert "model.safetensors" in missing.next_step
    assert "timm/vit_large_patch14_clip_224.openai" in missing.next_step


@pytest.mark.parametrize("key", ["auto_map", "trust_remote_code", "custom_pipelines"])
@pytest.mark.parametrize("name", ["tokenizer_config.json", "open_clip_config.json"])
def test_a_folder_that_names_code_is_refused_and_runs_none(embedded: Path, name: str, key: str) -> None:
    (embedded / "evil.py").write_text(CANARY)
    written = json.loads((embedded / name).read_text())
    written[key] = {"AutoTokenizer": ["evil.Evil", "evil.Evil"]}
    (embedded / name).write_text(json.dumps(written))
    for use in (OpenClip.provides, OpenClip.digest, lambda component: component.load("cpu")):
        with pytest.raises(RecipeError, match=f"'{key}', which names code to run"):
            use(encoder(embedded))
    assert not (embedded / "canary").exists()


def test_the_class_of_a_tokenizer_is_not_chosen_by_the_folder(embedded: Path) -> None:
    (embedded / "evil.py").write_text(CANARY)
    written = json.loads((embedded / "tokenizer_config.json").read_text()) | {"tokenizer_class": "evil.Evil"}
    (embedded / "tokenizer_config.json").write_text(json.dumps(written))
    tower: Any = encoder(embedded).load("cpu")
    assert tower.tokenizer(["a"]).shape == (1, 56)
    assert not (embedded / "canary").exists()


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"
BROKEN = {
    "pointer": (lambda data: POINTER, "Git LFS pointer"),
    "half": (lambda data: data[: len(data) // 2], "its header describes"),
    "empty": (lambda data: b"", "not a safetensors file"),
    "text": (lambda data: b"<html>not found</html>", "not a safetensors file"),
    "longer": (lambda data: data + b"\0", "its header describes"),
    "huge header": (lambda data: b"\xff" * 8 + data[8:], "not a safetensors file"),
    "header is a list": (lambda data: (2).to_bytes(8, "little") + b"[]", "expected an object"),
    "deep header": (lambda data: (9000).to_bytes(8, "little") + b'{"a":' * 1800, "nested deeper|not JSON"),
}


@pytest.mark.parametrize(("change", "message"), BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("layout", ["embedded", "copy"])
def test_weights_that_are_none_are_found_in_the_plan(
    layout: str, change: Any, message: str, request: pytest.FixtureRequest
) -> None:
    folder: Path = request.getfixturevalue(layout)
    weights = next(folder.glob("*.safetensors"))
    weights.write_bytes(change(weights.read_bytes()))
    with pytest.raises(RecipeError, match=message):
        encoder(folder).provides()


@pytest.mark.parametrize("name", ["open_clip_config.json", "tokenizer_config.json", "tokenizer.json"])
@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{", b"\xff\xfe", POINTER, b"[" * 100_000, b'{"model_cfg": [1]}', b'{"a": ' + b"9" * 5000 + b"}"],
    ids=range(8),
)
def test_a_folder_with_strange_json_is_one_message(embedded: Path, name: str, data: bytes) -> None:
    (embedded / name).write_bytes(data)
    if name == "tokenizer_config.json" and data.startswith(b'{"model'):
        encoder(embedded).load("cpu")  # an object without anything that is read
        return
    with pytest.raises(SkinframeError, match=name) as found:
        encoder(embedded).load("cpu")
    assert len(str(found.value)) < 1000


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [
        ("vision_cfg", "width", -1),
        ("vision_cfg", "width", "abc"),
        ("vision_cfg", "width", float("nan")),
        ("vision_cfg", "layers", 0),
        ("vision_cfg", "layers", 10**30),
        ("vision_cfg", "patch_size", 0),
        ("vision_cfg", "patch_size", [16]),
        ("vision_cfg", "image_size", 1e400),
        ("text_cfg", "tokenizer_kwargs", [1]),
    ],
)
def test_a_config_with_strange_sizes_is_one_message(embedded: Path, part: str, key: str, value: Any) -> None:
    path = embedded / "open_clip_config.json"
    written = json.loads(path.read_text())
    written["model_cfg"][part][key] = value
    path.write_text(json.dumps(written))
    with pytest.raises(RecipeError, match="model_cfg cannot be used"):
        encoder(embedded).provides()


def test_a_weights_file_of_another_architecture_is_short(copy: Path) -> None:
    written = json.loads((copy / "config.json").read_text())
    written["vision_config"]["hidden_size"] = 96
    (copy / "config.json").write_text(json.dumps(written))
    with pytest.raises(DataError, match="not a checkpoint of") as found:
        encoder(copy).load("cpu")
    assert len(str(found.value)) < 700


def test_a_pipe_in_place_of_weights_does_not_hang(embedded: Path) -> None:
    (embedded / "open_clip_model.safetensors").unlink()
    os.mkfifo(embedded / "open_clip_model.safetensors")
    with pytest.raises(RecipeError, match="regular file"):
        encoder(embedded).provides()
    pipe = embedded / "pipe.safetensors"
    os.mkfifo(pipe)
    assert Timm(Timm.Config(weights=str(pipe))).missing()
