"""Other shapes of the same run: other eyes, stored views, no reasoner, patience."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import skinframe
from skinframe.reporting.report_files import read_report

Run = Callable[..., Any]


def log(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("vision", ["native", "both"])
def test_qwen_s_own_eyes(one_epoch: Run, vision: str) -> None:
    run = one_epoch(f"reasoner.config.vision={vision}", "reasoner.config.native_size=56")
    assert len(log(run.folder)) == 3
    assert (run.folder / "report.html").is_file()


def test_stored_views_change_the_run_and_are_cached(one_epoch: Run, full: Any) -> None:
    run = one_epoch("train.views=8")
    assert run.steps == full.steps  # the same samples in the same order, in other poses
    assert log(run.folder)[0]["total"] != log(full.folder)[0]["total"]


def test_without_a_reasoner(small: Any, root: Path, tmp_path: Path) -> None:
    recipe = root / "recipes" / "baselines" / "probe.yaml"
    kept = ["data.config.images=60", "data.config.seed=110", "train.epochs=2", "train.threads=1"]
    kept += ["evaluate.resamples=50", "evaluate.probes=false"]
    kept += ["split.waive=[MEL,BCC,AK,BKL,DF,VASC,SCC]", "split.max_drift=1"]
    result = skinframe.run(recipe, overrides=kept, out=tmp_path, cache=small.cache, quiet=True)
    texts = (result.folder / "rationales.jsonl").read_text().splitlines()
    assert all(json.loads(line)["rationale"] == "" for line in texts)
    plan = skinframe.plan(recipe, overrides=kept)
    assert not plan.uses_reasoner


def test_patience_stops_early_and_a_resume_stops_alike(small: Any, tmp_path: Path) -> None:
    """With a rate that only does harm, no epoch after the first improves."""
    overrides = ["train.epochs=6", "train.lr=0.5", "train.head_lr=0.5", "train.clip=0", "select.patience=1"]
    first = small.run(tmp_path, *overrides).folder
    history = (first / "validation.json").read_text()
    assert 2 <= len(json.loads(history)) < 6
    small.run(tmp_path, *overrides, resume=True)
    assert (first / "validation.json").read_text() == history


def test_the_quiet_result_shows_itself(full: Any) -> None:
    result = skinframe.report(full.folder)
    assert "Balanced accuracy" in str(result)
    assert "<" in result._repr_html_()


def test_every_report_reads_calibration_against_cross_entropy_and_focal_loss_with_temperature(
    small: Any, tmp_path: Path
) -> None:
    folder = small.run(tmp_path, "train.epochs=1", "evaluate.probes=true", "evaluate.explain=false").folder
    table = next(
        one for one in read_report(folder).evidence if one.name == "Calibration metrics before and after calibration"
    )
    assert [(row.name, row.note) for row in table.rows] == [
        ("this run, before", ""),
        ("this run, after temperature", ""),
        ("linear probe + metadata, before", "cross entropy"),
        ("linear probe + metadata, after temperature", "cross entropy"),
        ("focal probe + metadata, before", "focal loss, gamma 2"),
        ("focal probe + metadata, after temperature", "focal loss, gamma 2"),
    ]
    nll = [row.cells[0].value for row in table.rows]
    assert len(set(nll)) == len(nll)
