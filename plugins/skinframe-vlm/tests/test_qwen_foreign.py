"""E3. A model folder that asks for remote code, hub kernels, another model or an adapter is refused unread."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from skinframe_vlm import Qwen25VL

from skinframe import RecipeError

CANARY = "import pathlib; pathlib.Path(__file__).with_name('canary').write_text('ran')"
ASKED: list[tuple[dict[str, Any], str]] = [
    ({"auto_map": {"AutoModel": "modeling.Evil"}}, "sets 'auto_map', which names code to run"),
    ({"trust_remote_code": True}, "sets 'trust_remote_code'"),
    ({"_attn_implementation": "kernels-community/evil"}, "asks for attention by 'kernels-community/evil'"),
    ({"_attn_implementation_internal": "someone/kernel"}, "asks for attention by 'someone/kernel'"),
    ({"model_type": "llama"}, "is of model type 'llama'; expected 'qwen2_5_vl'"),
]


@pytest.fixture
def copy(checkpoint: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "copy"
    shutil.copytree(checkpoint, folder)
    (folder / "modeling.py").write_text(CANARY)
    return folder


@pytest.mark.parametrize(("asked", "said"), ASKED)
@pytest.mark.gate("E3")
def test_a_config_that_reaches_outside_is_refused(copy: Path, asked: dict[str, Any], said: str) -> None:
    path = copy / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | asked))
    with pytest.raises(RecipeError) as found:
        Qwen25VL(Qwen25VL.Config(model=str(copy))).provides()
    assert said in str(found.value)
    assert not (copy / "canary").exists()


@pytest.mark.gate("E3")
def test_an_adapter_beside_the_weights_is_refused(copy: Path) -> None:
    (copy / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "someone/else"}))
    with pytest.raises(RecipeError, match="an adapter of another training"):
        Qwen25VL(Qwen25VL.Config(model=str(copy))).provides()


@pytest.mark.gate("E3")
def test_the_folder_itself_is_taken(copy: Path) -> None:
    """Negative control: the same folder without any of it."""
    assert Qwen25VL(Qwen25VL.Config(model=str(copy))).provides()["hidden"]
