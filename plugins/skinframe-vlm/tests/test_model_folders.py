"""What is wrong with a local model folder is said by the plan, from its JSON files and the headers of its weights."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from skinframe_vlm import Qwen25VL

from skinframe import RecipeError

WEIGHTS = "model.safetensors"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"


@pytest.fixture
def copy(checkpoint: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(checkpoint, tmp_path / "copy"))


def planned(folder: Path) -> str:
    """Return what the plan says about a folder."""
    component = Qwen25VL(Qwen25VL.Config(model=str(folder)))
    with pytest.raises(RecipeError) as found:
        component.provides()
    assert len(str(found.value)) < 1500
    return str(found.value)


def change(**sections: dict[str, Any]) -> Callable[[Path], None]:
    """Return a change of config.json: `text_config={...}`; `top` for its own keys."""

    def apply(folder: Path) -> None:
        path = folder / "config.json"
        config = json.loads(path.read_text())
        for name, values in sections.items():
            (config if name == "top" else config[name]).update(values)
        path.write_text(json.dumps(config))

    return apply


def rewrite(edit: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Path], None]:
    """Return a change of the tensors in the weights."""

    def apply(folder: Path) -> None:
        from safetensors.torch import load_file, save_file

        tensors = edit(load_file(folder / WEIGHTS))
        save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})

    return apply


def _as(dtype: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def edit(tensors: dict[str, Any]) -> dict[str, Any]:
        import torch

        return {
            name: value.to(getattr(torch, dtype)) if name.endswith("q_proj.weight") else value
            for name, value in tensors.items()
        }

    return edit


def _write(name: str, data: bytes) -> Callable[[Path], Any]:
    return lambda folder: (folder / name).write_bytes(data)


def _index(text: str) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        (folder / f"{WEIGHTS}.index.json").write_text(text)

    return apply


def _pipe(folder: Path) -> None:
    (folder / "config.json").unlink()
    os.mkfifo(folder / "config.json")


FAULTS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "pointer as weights": (_write(WEIGHTS, POINTER), "Git LFS pointer"),
    "pointer as tokenizer": (_write("tokenizer.json", POINTER), "tokenizer.json is a Git LFS pointer"),
    "pointer as config": (_write("config.json", POINTER), "Git LFS pointer"),
    "half a shard": (
        lambda folder: os.truncate(folder / WEIGHTS, 5000),
        "not a safetensors file|its header describes",
    ),
    "cut at the end": (
        lambda folder: os.truncate(folder / WEIGHTS, (folder / WEIGHTS).stat().st_size - 1),
        "its header describes",
    ),
    "other width": (change(text_config={"intermediate_size": 384}), "by config.json"),
    "other vocabulary": (change(text_config={"vocab_size": 321}), "by config.json"),
    "fewer layers in the config": (change(text_config={"num_hidden_layers": 1}), "hold 2 layers of the language model"),
    "more layers in the config": (change(text_config={"num_hidden_layers": 3}), "config.json says 3"),
    "fewer blocks of the tower": (change(vision_config={"depth": 1}), "hold 2 layers of the vision tower"),
    "AWQ": (change(top={"quantization_config": {"quant_method": "awq"}}), r"quantization_config \(awq\)"),
    "FP8": (change(top={"quantization_config": {"quant_method": "fp8"}}), r"quantization_config \(fp8\)"),
    "quantization_config is text": (change(top={"quantization_config": "4bit"}), "quantised already"),
    "4-bit weights without a word": (rewrite(_as("uint8")), "is stored as U8"),
    "8-bit floats without a word": (rewrite(_as("float8_e4m3fn")), "is stored as F8_E4M3"),
    "packed integers": (rewrite(_as("int32")), "is stored as I32"),
    "config is no JSON": (_write("config.json", b"{half"), "is not a JSON object"),
    "config is a list": (_write("config.json", b"[]"), "expected an object"),
    "config is deep": (_write("config.json", b"[" * 50_000), "nested deeper"),
    "config is huge": (_write("config.json", b" " * 5_000_000), "at most 1,048,576 are read"),
    "config is a pipe": (_pipe, "no config.json|regular file"),
    "text_config is a list": (change(top={"text_config": [1]}), "text_config is not an object"),
    "vision_config is text": (change(top={"vision_config": "x"}), "vision_config is not an object"),
    "negative width": (change(text_config={"hidden_size": -1}), "hidden_size must be a whole number"),
    "width is text": (change(text_config={"hidden_size": "abc"}), "hidden_size must be a whole number"),
    "width is NaN": (change(text_config={"hidden_size": float("nan")}), "hidden_size must be a whole number"),
    "no heads": (change(text_config={"num_attention_heads": 0}), "num_attention_heads must be a whole number"),
    "heads is huge": (change(text_config={"num_attention_heads": 10**30}), "num_attention_heads must be"),
    "patch 0": (change(vision_config={"patch_size": 0}), "patch_size must be a whole number"),
    "index without weight_map": (_index("{}"), "has no 'weight_map'"),
    "index is a list": (_index("[]"), "expected an object"),
    "index of numbers": (_index('{"weight_map": {"a": 1}}'), "has no 'weight_map'"),
    "index leads out": (_index('{"weight_map": {"a": "../other/model.safetensors"}}'), "a file outside of itself"),
    "index is absolute": (_index('{"weight_map": {"a": "/dev/zero"}}'), "a file outside of itself"),
    "index with a NUL": (_index('{"weight_map": {"a": "b\\u0000"}}'), "NUL"),
    "index of other tensors": (_index(json.dumps({"weight_map": {"a": WEIGHTS}})), "has no tensor 'a'"),
}


@pytest.mark.parametrize(("fault", "message"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_one_message_of_the_plan(copy: Path, fault: Callable[[Path], Any], message: str) -> None:
    import re

    fault(copy)
    assert re.search(message, planned(copy))


def test_a_link_out_of_the_folder_is_not_followed(copy: Path, tmp_path: Path) -> None:
    (copy / WEIGHTS).rename(tmp_path / "secret.safetensors")
    (copy / WEIGHTS).symlink_to(tmp_path / "secret.safetensors")
    assert "is a link to a file outside of its folder" in planned(copy)


def test_a_snapshot_in_the_cache_of_a_hub_is_read(checkpoint: Path, tmp_path: Path) -> None:
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshots" / "0"
    blobs.mkdir()
    snapshot.mkdir(parents=True)
    for file in checkpoint.iterdir():
        shutil.copy(file, blobs / file.name)
        (snapshot / file.name).symlink_to(Path("..") / ".." / "blobs" / file.name)
    assert Qwen25VL(Qwen25VL.Config(model=str(snapshot))).provides()["hidden"]


@pytest.mark.parametrize("dtype", ["auto", "bfloat16", "nonsense", 5, None])
def test_the_dtype_of_the_files_does_not_matter(copy: Path, dtype: Any) -> None:
    from skinframe_vlm.load_weights import load_language_model

    change(top={"torch_dtype": dtype, "dtype": dtype}, text_config={"torch_dtype": dtype})(copy)
    reasoner = Qwen25VL(Qwen25VL.Config(model=str(copy), quantize="none"))
    assert reasoner.provides()["hidden"]
    model = load_language_model(reasoner.family, copy, "none", "fp32", "cpu")
    assert str(model.dtype) == "torch.float32"


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b'{"model": 1}', b"[1]", b"\xff\xfe", b'{"a":' * 9000, b'{"version": "1.0", "model": {"type": "X"}}'],
    ids=range(7),
)
def test_a_tokenizer_that_is_none_is_one_message(copy: Path, data: bytes) -> None:
    from skinframe_vlm.chat_template import ChatText

    (copy / "tokenizer.json").write_bytes(data)
    with pytest.raises(RecipeError, match=r"tokenizer\.json") as found:
        ChatText(copy, Qwen25VL.family.chat, [4])
    assert len(str(found.value)) < 1000


def test_a_large_file_is_hashed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import skinframe.file_digest as module

    read: list[Path] = []
    real = module.sha256_of
    monkeypatch.setattr(module, "sha256_of", lambda path: [read.append(path), real(path)][1])
    monkeypatch.setattr(module, "LARGE", 10)
    monkeypatch.setattr(module, "SETTLED", -1.0)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    weights = tmp_path / WEIGHTS
    weights.write_bytes(b"x" * 100)
    first = module.file_digest(weights)
    module._digest.cache_clear()  # as another process would start
    assert module.file_digest(weights) == first
    assert len(read) == 1
    weights.write_bytes(b"y" * 100)
    assert module.file_digest(weights) != first
    module._digest.cache_clear()
    for entry in (tmp_path / "cache").rglob("*.json"):  # a changed entry is not believed
        entry.write_text(entry.read_text().replace(first[:8], "0" * 8))
    assert module.file_digest(weights) == real(weights)
