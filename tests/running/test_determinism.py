"""The same recipe and seed twice is the same run, bit for bit; another seed is another."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

Contents = Callable[[Path], dict[str, str]]


@pytest.fixture(scope="module")
def again(small: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second run, with a cache of its own, so that extraction is repeated too."""
    folder = tmp_path_factory.mktemp("again")
    return Path(small.run(folder / "out", cache=folder / "cache").folder)


@pytest.mark.gate("F1")
def test_the_same_seed_gives_the_same_bytes(finished: Path, again: Path, contents: Contents) -> None:
    first, second = contents(finished), contents(again)
    assert first == second
    kinds = {Path(name).suffix for name in first}
    assert {".safetensors", ".jsonl", ".parquet", ".json", ".yaml"} <= kinds


def test_the_reports_differ_in_time_only(finished: Path, again: Path) -> None:
    first, second = (json.loads((folder / "report.json").read_text()) for folder in (finished, again))
    for report in (first, second):
        headline = report.get("report", report)["headline"]
        assert headline.pop("duration")
        assert headline.pop("date")
    assert first == second


@pytest.mark.gate("F1")
def test_another_seed_is_another_run(full: Any, one_epoch: Callable[..., Any]) -> None:
    other = one_epoch("seed=23", "losses.focal.config.class_weights=none")
    name = "heads.classify.layers.2.weight"
    assert not (full.start[name] == other.start[name]).all()
    assert other.steps != full.steps
    tables = [pq.read_table(run.folder / "predictions" / "test.parquet") for run in (full, other)]
    assert not tables[0].equals(tables[1])


def test_the_log_holds_no_clock(finished: Path) -> None:
    for name in ("log.jsonl", "validation.json", "metrics.json", "plan.yaml"):
        text = (finished / name).read_text()
        assert "2026-" not in text
        assert "seconds" not in text


@pytest.mark.parametrize("name", ["model", "optimiser", "losses"])
def test_the_checkpoints_of_two_epochs_differ(finished: Path, contents: Contents, name: str) -> None:
    """Guards the comparison above: equal files are not equal because nothing is in them."""
    files = contents(finished)
    differs = files[f"checkpoints/epoch-000/{name}.safetensors"] != files[f"checkpoints/epoch-001/{name}.safetensors"]
    assert differs or name == "losses"
