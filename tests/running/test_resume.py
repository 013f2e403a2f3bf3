"""Resuming: damaged checkpoints, a finished run, another plan, a folder in use."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skinframe.errors import BusyError, RecipeError
from skinframe.running.run_folder import locked

Contents = Callable[[Path], dict[str, str]]
Harms = dict[str, Callable[[Path], None]]


DAMAGE = [
    pytest.param("model.safetensors", "flip", id="a bit of the model"),
    pytest.param("optimiser.safetensors", "halve", id="half an optimiser"),
    pytest.param("MANIFEST.json", "delete", id="no manifest"),
]


@pytest.mark.parametrize(("name", "damage"), DAMAGE)
@pytest.mark.gate("A8")
def test_a_damaged_newest_checkpoint_gives_way_to_the_one_before(
    small: Any,
    finished: Path,
    copy: Path,
    contents: Contents,
    caplog: pytest.LogCaptureFixture,
    harms: Harms,
    name: str,
    damage: str,
) -> None:
    harms[damage](copy / "checkpoints" / "epoch-001" / name)
    with caplog.at_level(logging.WARNING):
        small.run(copy.parent, resume=True)
    assert "epoch-001 is not whole" in caplog.text
    assert contents(copy) == contents(finished)


@pytest.mark.gate("A8")
def test_with_every_checkpoint_damaged_nothing_starts_from_zero(
    small: Any, copy: Path, contents: Contents, harms: Harms
) -> None:
    for epoch in ("000", "001"):
        harms["halve"](copy / "checkpoints" / f"epoch-{epoch}" / "model.safetensors")
    before = contents(copy)
    with pytest.raises(RecipeError, match=r"no checkpoint matches its hashes; move the run folder away"):
        small.run(copy.parent, resume=True)
    assert contents(copy) == before


def test_resuming_a_finished_run_changes_nothing(small: Any, finished: Path, copy: Path, contents: Contents) -> None:
    small.run(copy.parent, resume=True)
    assert contents(copy) == contents(finished)


def test_lost_validation_figures_are_measured_again(small: Any, finished: Path, copy: Path, contents: Contents) -> None:
    """Of every epoch, not only of the last: the selection must see them all."""
    (copy / "validation.json").unlink()
    small.run(copy.parent, resume=True)
    assert contents(copy) == contents(finished)


def test_a_chosen_checkpoint_that_is_damaged_is_refused(small: Any, copy: Path, harms: Harms) -> None:
    (copy / "validation.json").write_text('[{"nll": 0.1}, {"nll": 0.2}]')
    harms["flip"](copy / "checkpoints" / "epoch-000" / "model.safetensors")
    with pytest.raises(RecipeError, match=r"epoch-000 is needed and does not match its hashes"):
        small.run(copy.parent, resume=True)


def test_a_run_is_not_started_twice_without_resume(small: Any, copy: Path) -> None:
    with pytest.raises(RecipeError, match=r"already exists; continue it with --resume"):
        small.run(copy.parent)


def test_an_edited_plan_is_refused_by_its_key(small: Any, copy: Path) -> None:
    path = copy / "plan.yaml"
    path.write_text(path.read_text().replace("  train.lr: '0.001'", "  train.lr: '0.01'"))
    with pytest.raises(RecipeError, match=r"train\.lr: was 0\.01 in that run, now 0\.001"):
        small.run(copy.parent, resume=True)


@pytest.mark.parametrize("text", ["", "identity: [", "identity: 3", "\x00"])
def test_a_broken_plan_file_is_refused(small: Any, copy: Path, text: str) -> None:
    (copy / "plan.yaml").write_text(text)
    with pytest.raises(RecipeError, match=r"plan\.yaml: is not a valid plan"):
        small.run(copy.parent, resume=True)


def test_resuming_another_plan_names_what_differs(small: Any, copy: Path) -> None:
    with pytest.raises(RecipeError, match=r"train\.lr: was 0\.001 in that run, now 0\.02"):
        small.run(copy.parent, "train.lr=0.02", resume=True)


def test_a_log_shorter_than_its_checkpoint_says_is_refused(small: Any, copy: Path, harms: Harms) -> None:
    harms["halve"](copy / "log.jsonl")
    with pytest.raises(RecipeError, match=r"log\.jsonl: has \d+ bytes where the checkpoint says \d+"):
        small.run(copy.parent, resume=True)


def test_a_folder_in_use_names_its_holder(small: Any, copy: Path, contents: Contents) -> None:
    before = contents(copy)
    with locked(copy), pytest.raises(BusyError, match=f"is in use by process {os.getpid()} on"):
        small.run(copy.parent, resume=True)
    assert contents(copy) == before
    with locked(copy):
        pass  # free again


@pytest.mark.gate("D6")
def test_the_command_line_exits_6_for_a_folder_in_use(small: Any, copy: Path, cli: Any) -> None:
    with locked(copy):
        found = cli(small.words(copy.parent, "--resume"))
    assert found.returncode == 6
    assert f"process {os.getpid()}" in found.stderr
    assert "Traceback" not in found.stderr


def test_what_an_interrupted_write_left_is_removed(small: Any, finished: Path, copy: Path, contents: Contents) -> None:
    (copy / "predictions" / ".test.parquet.tmp-0badcafe").write_bytes(b"half")
    (copy / ".metrics.json.tmp-0badcafe").write_bytes(b"{")
    (copy / "checkpoints" / "epoch-002.tmp-0badcafe").mkdir()
    small.run(copy.parent, resume=True)
    assert contents(copy) == contents(finished)


def test_killed_between_the_last_checkpoint_and_its_validation(
    small: Any, finished: Path, contents: Contents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one gap that a timed kill may miss: the last epoch stands, its figures do not."""
    import skinframe.running.run_training as training

    real, seen = training.validate, []

    def gone(*arguments: Any) -> Any:
        seen.append(1)
        if len(seen) == 2:
            raise KeyboardInterrupt
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(training, "validate", gone)
        with pytest.raises(KeyboardInterrupt):
            small.run(tmp_path)
    folder = tmp_path / finished.name
    assert (folder / "checkpoints" / "epoch-001").exists()
    assert len(json.loads((folder / "validation.json").read_text())) == 1
    small.run(tmp_path, resume=True)
    assert contents(folder) == contents(finished)
