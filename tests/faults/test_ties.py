"""A8, A9. What a resume must find again: whole checkpoints and the same recipe, data, weights, libraries."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import skinframe.durable as durable
from skinframe.errors import RecipeError

Harm = Callable[[Path], None]
FILES = ("model.safetensors", "optimiser.safetensors", "losses.safetensors", "balancer.safetensors", "state.json",
         "MANIFEST.json")  # fmt: skip


@pytest.mark.parametrize("harm", ["flip", "cut", "delete"])
@pytest.mark.parametrize("name", FILES)
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
    assert durable.flaw_of(folder) is not None


def test_a8_a_file_that_no_manifest_names_is_a_flaw(copy: Path) -> None:
    folder = copy / "checkpoints" / "epoch-001"
    (folder / "extra.safetensors").write_bytes(b"")
    assert "extra.safetensors" in str(durable.flaw_of(folder))


def test_a9_other_libraries_are_refused_by_name_and_noted_where_allowed(small: Any, copy: Path) -> None:
    for epoch in ("000", "001"):  # as a run under another torch would have written it
        state = copy / "checkpoints" / f"epoch-{epoch}" / "state.json"
        files = {path.name: path.read_bytes() for path in state.parent.iterdir() if path.name != durable.MANIFEST}
        told = json.loads(files["state.json"])
        told["ties"]["torch"] = "2.9.9"
        files["state.json"] = json.dumps(told, indent=2, sort_keys=True).encode()
        shutil.rmtree(state.parent)
        durable.write_folder(state.parent, files)
    with pytest.raises(RecipeError, match=r"torch: was 2\.9\.9 in that run, is \d.* now") as found:
        small.run(copy.parent, resume=True)
    assert "--allow-change KEY" in str(found.value)
    assert not (copy / "changes.json").exists()
    small.run(copy.parent, resume=True, allow_change=["torch"])
    (noted,) = json.loads((copy / "changes.json").read_text())
    assert (noted["key"], noted["was"]) == ("torch", "2.9.9")


def test_a9_an_allowed_change_goes_on_in_the_old_folder(small: Any, copy: Path) -> None:
    with pytest.raises(RecipeError, match=r"evaluate\.resamples: was 50 in that run, is 40 now"):
        small.run(copy.parent, "evaluate.resamples=40", resume=True)
    found = small.run(copy.parent, "evaluate.resamples=40", resume=True, allow_change=["evaluate.resamples"])
    assert found.folder == copy
    assert json.loads((copy / "changes.json").read_text())[0]["key"] == "evaluate.resamples"
    again = small.run(copy.parent, "evaluate.resamples=40", resume=True)  # said once, known from then on
    assert again.folder == copy


def test_a9_other_features_are_refused(small: Any, copy: Path) -> None:
    """D5: a cache that another user filled with other values cannot slip under a run that has begun."""
    import skinframe.engine.environment as environment
    from skinframe.engine.changes import differing, refuse

    state = json.loads((copy / "checkpoints" / "epoch-001" / "state.json").read_text())
    ties = dict(state["ties"])
    assert {"cache.clip", "split", "torch", "numpy", "python", "device", "transformers"} <= ties.keys()
    poisoned = ties | {"cache.clip": hashlib.sha256(b"other").hexdigest()}
    with pytest.raises(RecipeError, match=r"cache\.clip: was [0-9a-f]{64} in that run"):
        refuse(differing(ties, poisoned), (), "run")
    assert environment.DECIDES


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
    assert captured["threads"] == 1
    assert captured["plugins"]["skinframe-cfa"]["version"]
    assert str(Path.home()) not in (folder / "environment.json").read_text()
