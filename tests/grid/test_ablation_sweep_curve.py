"""The other questions, on runs that mostly stand already: a value, a share of the data, before calibration."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import skinframe
from skinframe.evaluation.calibration_error import ECE
from skinframe.evaluation.predictions import read_predictions
from skinframe.reporting.charts.metric_over_axis import spread

QUICK = ("train.epochs=1", "evaluate.resamples=2", "train.gradient_norms_every=50")


def asked(small: Any, out: Path, seeds: int) -> dict[str, Any]:
    overrides = [*small.overrides, *QUICK]
    return {"overrides": overrides, "seeds": seeds, "workers": 1, "cache": small.cache, "quiet": True, "out": out}


def test_a_sweep_shares_the_runs_of_an_ablation_and_draws_its_curve(small: Any, copied: Path, made: Any) -> None:
    """Weight 0 is the same run as the term switched off, so nothing is trained."""
    before = sorted(copied.glob("small-*"))
    found = skinframe.sweep(small.recipe, "losses.alignment.weight=0,0.5", **asked(small, copied, 2))
    assert sorted(copied.glob("small-*")) == before
    report = found.report
    assert report.reference == "alignment weight = 0.5"  # the recipe's own
    assert [arm.at for arm in report.arms] == [0.0, 0.5]
    assert report.figure("alignment weight = 0", "nll").values == made.report.figure("without alignment", "nll").values
    chart = spread(report, "nll")
    assert chart is not None
    dots = [shape for shape in chart.shapes if shape.kind == "dot"]
    assert len(dots) == 2 * (2 + 1)  # each seed and the mean, at each value
    page = (found.folder / "grid.html").read_text(encoding="utf-8")
    assert "Along the axis" in page
    assert "losses.alignment.weight" in page


def test_a_learning_curve_is_nested(small: Any, copied: Path) -> None:
    found = skinframe.learning_curve(small.recipe, [0.5, 1.0], **asked(small, copied, 1))
    train = [_train(copied / arm.runs[0]) for arm in found.report.arms]
    assert found.report.reference == "100 % of the training images"
    assert train[1] < train[0]
    assert 0.3 < len(train[1]) / len(train[0]) < 0.8  # whole patients, and one of each class at least
    page = (found.folder / "grid.md").read_text(encoding="utf-8")
    assert "one seed cannot tell" in page
    assert " better than " not in page


def test_before_calibration_is_another_table_of_the_same_runs(
    ablated: Callable[..., Any], copied: Path, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ECE, "signed", True)  # the whole interval, not cut off at 0
    monkeypatch.setattr(ECE, "span", (-np.inf, np.inf))
    found = ablated(copied, before=True, metrics=["ece"])
    assert found.folder.name != made.folder.name
    run = copied / made.report.arms[0].runs[0]
    table = read_predictions(run / "predictions" / "test.parquet")[0]
    nll = -np.log(table.probabilities[np.arange(len(table.labels)), table.labels]).mean()
    assert found.report.figure("whole", "nll").values[0] == pytest.approx(nll)
    # resampling adds its noise to a calibration error; the interval takes that back
    ece = found.report.figure("whole", "ece").estimate
    assert abs((ece.low + ece.high) / 2 - ece.value) < (ece.high - ece.low) / 8


def _train(run: Path) -> set[str]:
    return set(json.loads((run / "split.json").read_text(encoding="utf-8"))["parts"]["train"])
