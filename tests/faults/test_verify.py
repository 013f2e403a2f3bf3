"""`verify` finds what is not whole; `reproduce` makes a run again and finds what differs."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

import skinframe
from skinframe.errors import NotWholeError, RecipeError


def test_f5_a_whole_run_checkpoint_and_cache(finished: Path, small: Any) -> None:
    for place, kind in ((finished, "run"), (finished / "checkpoints" / "epoch-000", "checkpoint")):
        found = skinframe.verify(place)
        assert found.kind == kind
        assert {finding.state for finding in found.findings} == {"whole"}
    assert skinframe.verify(small.cache).kind == "feature cache"


HARMED = ["checkpoints/epoch-001/model.safetensors", "predictions/test.parquet", "metrics.json", "log.jsonl"]


@pytest.mark.parametrize("name", HARMED)
def test_one_flipped_bit_is_named(copy: Path, harms: Any, name: str) -> None:
    harms["flip"](copy / name)
    with pytest.raises(NotWholeError) as found:
        skinframe.verify(copy)
    assert found.value.exit_code == 1
    named = "epoch-001" if "checkpoints" in name else name
    assert named in str(found.value)
    assert str(found.value).count("damaged:") == 1


def test_a_leftover_is_said_and_no_damage(copy: Path) -> None:
    (copy / ".metrics.json.tmp-0badcafe").write_bytes(b"{")
    found = skinframe.verify(copy)
    assert [finding.state for finding in found.findings].count("leftover") == 1


def test_a_folder_that_is_neither_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="is not a run, a checkpoint or a feature cache"):
        skinframe.verify(tmp_path)


def test_f5_reproduce_is_bitwise_equal(finished: Path, tmp_path: Path) -> None:
    found = skinframe.reproduce(finished, out=tmp_path, quiet=True)
    assert found.different == ()
    assert found.environment == ()
    assert len(found.equal) > 15
    assert found.command.startswith("skinframe run ")
    assert "bitwise equal" in str(found)
    with pytest.raises(RecipeError, match="exists; choose another folder with --out"):
        skinframe.reproduce(finished, out=tmp_path, quiet=True)


def test_reproduce_bites(copy: Path, tmp_path: Path) -> None:
    """Negative control: a run whose predictions were exchanged, with hashes that agree, does not reproduce."""
    from skinframe.running.verify_files import write_files

    shutil.copy(copy / "predictions" / "valid.parquet", copy / "predictions" / "test.parquet")
    write_files(copy)
    with pytest.raises(NotWholeError, match=r"differs: predictions/test\.parquet"):
        skinframe.reproduce(copy, out=tmp_path / "again", quiet=True)
