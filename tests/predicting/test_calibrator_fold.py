"""The calibrator is fitted on its fold of validation, and on nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from skinframe.data.kfold import CalibrationFold
from skinframe.evaluation.calibrators import Temperature
from skinframe.sample import Sample

VALID, TEST = tuple(range(40)), tuple(range(40, 80))


def prepared(fold: CalibrationFold) -> Any:
    samples = [Sample(id=f"s{row:02d}", image=f"{row}", label=row % 3, patient=str(row)) for row in range(80)]
    parts = SimpleNamespace(calibrator=Temperature(), dataset=SimpleNamespace(classes=("a", "b", "c")))
    split = SimpleNamespace(valid=VALID, test=TEST, part=lambda name: {"valid": VALID, "test": TEST}[name])
    lesions = lambda rows: [samples[row].group for row in rows]  # noqa: E731
    return SimpleNamespace(plan=SimpleNamespace(parts=parts), samples=samples, split=split, folds=fold, lesions=lesions)


def scores(rows: Any) -> Any:
    """Right about half of the time, and far surer on later rows: each part has a temperature of its own."""
    rows = np.asarray(rows)
    logits = np.random.default_rng(0).normal(size=(80, 3))[rows]
    logits[np.arange(len(rows)), rows % 3] += 2.0
    return logits * (1 + rows[:, None] / 8)


@pytest.mark.parametrize(
    "fold",
    [
        CalibrationFold(tuple(range(20)), tuple(range(20, 40))),
        CalibrationFold(tuple(range(1, 40, 2)), tuple(range(0, 40, 2))),
        CalibrationFold(VALID, VALID, "too small"),
    ],
)
def test_the_parameters_are_those_of_the_fold(
    fold: CalibrationFold, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from skinframe.predicting import validation_metrics

    answers = SimpleNamespace(logits=lambda feed, rows: scores(rows))
    monkeypatch.setattr(validation_metrics, "Predictor", lambda plan, model: answers)
    (tmp_path / "predictions").mkdir()
    of: Any = validation_metrics.measure(prepared(fold), None, None, tmp_path)  # type: ignore[arg-type]

    def fitted(rows: Any) -> float:
        return float(Temperature().fit(scores(rows), np.asarray(rows) % 3)["temperature"])

    assert of.parameters["temperature"] == fitted(fold.calibration)
    others = [rows for rows in (VALID, TEST, fold.selection, (*VALID, *TEST)) if rows != fold.calibration]
    assert all(abs(of.parameters["temperature"] - fitted(rows)) > 1e-3 for rows in others)
    written = json.loads((tmp_path / "calibrator.json").read_text())
    assert written["fitted_on"] == sorted(f"s{row:02d}" for row in fold.calibration)
    assert written["own_fold"] is fold.own
