"""A8, A9. What a resume must find again: whole checkpoints and the same recipe, data, weights, libraries."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import skinframe.atomic_write as durable
from skinframe.errors import RecipeError

Harm = Callable[[Path], None]
FILES = ("model.safetensors", "optimiser.safetensors", "losses.safetensors", "balancer.safetensors", "state.json",
         "MANIFEST.json")  # fmt: skip


@pytest.mark.parametrize("harm", ["flip", "cut", "delete"])
@pytest.mark.parametrize("name", FILES)
@pytest.mark.gate("A8")
def test_a8_no_harm_to_any_file_is_accepted(copy: Path, harms: dict[str, Harm], name: str, harm: str) -> None:
    from skinframe.train.checkpoint import newest_checkpoint

    harms[harm](copy / "checkpoints" / "epoch-001" / name)
    found = newest_checkpoint(copy / "checkpoints")
    assert found is not None
    assert found.epoch == 0


@pytest.mark.parametrize("text", ["{}", '{"state.json": {}}', "[]", "null"])
def test_a8_an_emptied_manifest_vouches_for_nothing(copy: Path, text: str) -> None:
    folder = copy / "checkpoints" / "epoch-001"
    (folder / durable.MANIFEST).write_text(text)
    assert durable.damage_in(folder) is not None


@pytest.mark.parametrize("name", ["extra.safetensors", ".DS_Store", "._model.safetensors", "notes.txt"])
def test_a8_a_file_that_no_manifest_lists_is_named_and_does_not_count(
    copy: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    from skinframe.train.checkpoint import newest_checkpoint

    folder = copy / "checkpoints" / "epoch-001"
    (folder / name).write_bytes(b"")
    assert durable.damage_in(folder) is None
    found = newest_checkpoint(folder.parent)
    assert found is not None
    assert found.epoch == 1
    assert name in caplog.text
    with pytest.raises(RecipeError, match="not listed"):
        found.tensors("extra")


def test_a9_other_libraries_are_refused_by_name_and_noted_where_allowed(small: Any, copy: Path) -> None:
    for epoch in ("000", "001"):  # as a run under another torch would have written it
        state = copy / "checkpoints" / f"epoch-{epoch}" / "state.json"
        files = {path.name: path.read_bytes() for path in state.parent.iterdir() if path.name != durable.MANIFEST}
        told = json.loads(files["state.json"])
        told["ties"]["torch"] = "2.9.9"
        files["state.json"] = json.dumps(told, indent=2, sort_keys=True).encode()
        shutil.rmtree(state.parent)
        durable.write_folder(state.parent, files)
    with pytest.raises(RecipeError, match=r"torch: was 2\.9\.9 in that run, now \d.*") as found:
        small.run(copy.parent, resume=True)
    assert "--allow-change KEY" in str(found.value)
    assert not (copy / "changes.json").exists()
    small.run(copy.parent, resume=True, allow_change=["torch"])
    (noted,) = json.loads((copy / "changes.json").read_text())
    assert (noted["key"], noted["was"]) == ("torch", "2.9.9")


def test_a9_an_allowed_change_goes_on_in_the_old_folder(small: Any, copy: Path) -> None:
    with pytest.raises(RecipeError, match=r"evaluate\.resamples: was 50 in that run, now 40"):
        small.run(copy.parent, "evaluate.resamples=40", resume=True)
    found = small.run(copy.parent, "evaluate.resamples=40", resume=True, allow_change=["evaluate.resamples"])
    assert found.folder == copy
    assert json.loads((copy / "changes.json").read_text())[0]["key"] == "evaluate.resamples"
    again = small.run(copy.parent, "evaluate.resamples=40", resume=True)  # said once, known from then on
    assert again.folder == copy


def poisoned(cache: Path, name: str) -> Path:
    """Rewrite the image features of a cache with other values under checksums that agree: what a stranger could do."""
    import numpy as np
    from safetensors.numpy import load_file

    from skinframe.features.shard_format import INDEX, read_index, write_shard

    for index in sorted(cache.glob(f"{name}-*/*{INDEX}")):
        if index.name == "about.json":
            continue
        shard = read_index(index)
        values = {signal: np.flip(value, axis=-1) for signal, value in load_file(shard.path).items()}
        assert write_shard(index.parent, shard.keys, values).path == shard.path
        assert read_index(index).damage(deep=True) is None
    return cache


def test_d5_a_poisoned_cache_is_refused_by_a_run_that_has_begun(small: Any, copy: Path, tmp_path: Path) -> None:
    """Every checksum holds; the digest that the run's checkpoints pin does not."""
    import skinframe

    cache = poisoned(shutil.copytree(small.cache, tmp_path / "cache"), "image")
    assert skinframe.verify(cache).damaged == []
    with pytest.raises(RecipeError, match=r"cache\.clip: was [0-9a-f]{64} in that run, now [0-9a-f]{64}"):
        small.run(copy.parent, resume=True, cache=cache)
    small.run(copy.parent, resume=True)  # with its own it goes on


def test_e11_no_secret_is_captured(small: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "hf_SENTINEL0123456789"
    for name in ("HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "DATABASE_URL"):
        monkeypatch.setenv(name, secret)
    folder = small.run(tmp_path, "train.epochs=1").folder
    for path in folder.rglob("*"):
        if path.is_file():
            assert secret.encode() not in path.read_bytes(), path
    captured = json.loads((folder / "environment.json").read_text())
    assert captured["libraries"]["torch"]
    # required by the plugin behind the name `qwen`, not by the thin distribution of that name
    assert all(captured["libraries"][name] for name in ("bitsandbytes", "peft", "tokenizers"))
    assert captured["threads"] == 1
    assert captured["plugins"]["skinframe-cfa"]["version"]
    assert str(Path.home()) not in (folder / "environment.json").read_text()
