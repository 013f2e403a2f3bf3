"""E3. A folder that asks for foreign code, holds another model, or is incomplete is refused with the next step."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from skinframe_vlm import Llava, Qwen3VL, Qwen25VL

from skinframe import BuildContext, RecipeError

CANARY = "import pathlib; pathlib.Path(__file__).with_name('canary').write_text('ran')"
ASKED: list[tuple[dict[str, Any], str]] = [
    ({"auto_map": {"AutoModel": "modeling.Evil"}}, "config.json sets 'auto_map', which names code to run; remove it"),
    ({"trust_remote_code": True}, "sets 'trust_remote_code'"),
    ({"_attn_implementation": "kernels-community/evil"}, "asks for attention by 'kernels-community/evil'"),
    ({"_attn_implementation_internal": "someone/kernel"}, "asks for attention by 'someone/kernel'"),
    ({"model_type": "llama"}, "is of model type 'llama'; expected 'qwen2_5_vl'"),
    ({"model_type": None}, "is of model type None; expected 'qwen2_5_vl'"),
]
INSIDE: list[tuple[str, dict[str, Any], str]] = [
    ("text_config", {"auto_map": {"AutoModel": "modeling.Evil"}}, "config.json: text_config sets 'auto_map'"),
    ("text_config", {"model_type": "evil"}, "text_config is of model type 'evil'; expected 'llama' or 'mistral'"),
    ("vision_config", {"_attn_implementation": "someone/kernel"}, "vision_config asks for attention by"),
    ("vision_config", {"model_type": "siglip_vision_model"}, "expected 'clip_vision_model'"),
]


@pytest.fixture
def copy(checkpoint: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "copy"
    shutil.copytree(checkpoint, folder)
    (folder / "modeling.py").write_text(CANARY)
    return folder


def change(folder: Path, options: dict[str, Any], part: str | None = None) -> None:
    path = folder / "config.json"
    config = json.loads(path.read_text())
    (config if part is None else config[part]).update(options)
    path.write_text(json.dumps(config))


@pytest.mark.parametrize(("options", "message"), ASKED)
@pytest.mark.gate("E3")
def test_a_config_that_reaches_outside_is_refused(copy: Path, options: dict[str, Any], message: str) -> None:
    change(copy, options)
    with pytest.raises(RecipeError) as refusal:
        Qwen25VL(Qwen25VL.Config(model=str(copy))).provides()
    assert message in str(refusal.value)
    assert not (copy / "canary").exists()


@pytest.mark.parametrize(("part", "options", "message"), INSIDE)
@pytest.mark.gate("E3")
def test_the_configs_inside_are_held_to_the_same(
    llava: Path, tmp_path: Path, part: str, options: dict[str, Any], message: str
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(llava, folder)
    change(folder, options, part)
    with pytest.raises(RecipeError) as refusal:
        Llava(Llava.Config(model=str(folder))).provides()
    assert message in str(refusal.value)


@pytest.mark.gate("E3")
def test_an_adapter_beside_the_weights_is_refused(copy: Path) -> None:
    (copy / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "someone/else"}))
    with pytest.raises(RecipeError, match="an adapter of another training; name the folder of the base model"):
        Qwen25VL(Qwen25VL.Config(model=str(copy))).provides()


@pytest.mark.gate("E3")
def test_the_folder_itself_is_taken(copy: Path) -> None:
    """Negative control: the same folder without any of it."""
    assert Qwen25VL(Qwen25VL.Config(model=str(copy))).provides()["hidden"]


@pytest.mark.parametrize("reasoner", [Qwen3VL, Llava], ids=lambda reasoner: reasoner.name)
def test_another_familys_folder_names_the_reasoner_to_use(checkpoint: Path, reasoner: Any) -> None:
    with pytest.raises(RecipeError) as refusal:
        reasoner(reasoner.Config(model=str(checkpoint))).provides()
    assert f"expected '{reasoner.name}'; name a {reasoner.family.title} checkpoint, or the reasoner for" in str(
        refusal.value
    )


def test_a_known_size_of_another_family_is_refused_without_weights() -> None:
    with pytest.raises(RecipeError, match="'qwen2_5_vl'; expected 'qwen3_vl'"):
        Qwen3VL(Qwen3VL.Config(model="Qwen/Qwen2.5-VL-3B-Instruct")).provides()


def test_a_config_that_is_no_json_is_one_message(copy: Path) -> None:
    (copy / "config.json").write_text("{half")
    with pytest.raises(RecipeError, match=r"is not a JSON object .*; download the checkpoint's files again"):
        Qwen25VL(Qwen25VL.Config(model=str(copy))).provides()


def test_a_missing_shard_is_named_with_the_next_step(qwen3_vl: Path, tmp_path: Path) -> None:
    folder = tmp_path / "part"
    shutil.copytree(qwen3_vl, folder)
    (folder / "model.safetensors").unlink()
    shards = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (folder / shards["a"]).touch()
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))
    [item] = Qwen3VL(Qwen3VL.Config(model=str(folder))).missing()
    assert item.what == f"model-00002-of-00002.safetensors of {folder}"
    assert item.next_step == f"put a Qwen3-VL checkpoint in the Hugging Face folder format at {folder}"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("llava", r"has no token <\|im_start\|>, .*: it is another model's; copy the one beside the weights"),
        (
            "shifted",
            r"gives <\|image_pad\|> the id \d+, but config\.json says \d+: it is another model's; copy the one",
        ),
    ],
)
def test_the_tokenizer_of_another_model_is_refused(copy: Path, llava: Path, name: str, message: str) -> None:
    if name == "llava":
        shutil.copy(llava / "tokenizer.json", copy)
    else:
        change(copy, {"image_token_id": 7})
    reasoner = Qwen25VL(Qwen25VL.Config(model=str(copy)))
    with pytest.raises(RecipeError, match=message):
        reasoner.build(BuildContext(classes=("a", "b"), shapes={"clip.image_tokens": (16, 24)}, seed=0))
