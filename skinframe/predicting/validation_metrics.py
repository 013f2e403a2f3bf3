"""Validation metrics of a checkpoint, and the calibrated test predictions of the chosen one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skinframe.atomic_write import write_json
from skinframe.components import Facts
from skinframe.data.feed import Feed
from skinframe.evaluation.predictions import Predictions, write_predictions
from skinframe.evaluation.softmax import softmax
from skinframe.model.module import Model
from skinframe.predicting.predictor import Predictor
from skinframe.preparing.prepared_data import Prepared
from skinframe.version import __version__


def labels_of(prepared: Prepared, rows: Sequence[int]) -> NDArray[np.int64]:
    return np.array([prepared.samples[row].label for row in rows], dtype=np.int64)


def facts_of(prepared: Prepared, rows: Sequence[int]) -> Facts:
    """Return what metrics may know of some samples: classes, groups, numbers that they carry."""
    chosen = [prepared.samples[row] for row in rows]
    numeric = [field.name for field in prepared.plan.parts.dataset.fields if not field.values]
    return Facts(
        classes=prepared.plan.parts.dataset.classes,
        groups=[sample.group for sample in chosen],
        columns={name: np.array([_number(sample.metadata.get(name)) for sample in chosen]) for name in numeric},
    )


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else math.nan


def validate(prepared: Prepared, model: Model, feed: Feed) -> dict[str, float]:
    """Return every metric of the recipe on the fold that chooses the epoch, uncalibrated."""
    plan = prepared.plan
    rows = prepared.folds.selection
    facts = facts_of(prepared, rows)
    probabilities = softmax(Predictor(plan, model).logits(feed, rows))
    labels, ones = labels_of(prepared, rows), np.ones(len(rows))
    metrics = {name: metric.given(facts) for name, metric in plan.parts.metrics.items()}
    return {name: metric.value(labels, probabilities, ones) for name, metric in metrics.items()}


@dataclass(frozen=True)
class Outcome:
    """The chosen checkpoint on validation and test, with the calibrator's parameters."""

    valid: Predictions
    test: Predictions
    parameters: Mapping[str, Any]


def measure(prepared: Prepared, model: Model, feed: Feed, folder: Path) -> Outcome:
    """Predict validation and test, fit the calibrator on its fold of validation alone, write the tables."""
    plan = prepared.plan
    calibrator = plan.parts.calibrator
    predictor = Predictor(plan, model)
    logits = {part: predictor.logits(feed, prepared.split.part(part)) for part in ("valid", "test")}
    folds, place = prepared.folds, {row: i for i, row in enumerate(prepared.split.valid)}
    fold = logits["valid"][[place[row] for row in folds.calibration]]
    parameters = calibrator.fit(fold, labels_of(prepared, folds.calibration))
    write_json(
        folder / "calibrator.json",
        {
            "use": calibrator.name,
            "version": __version__,
            "parameters": parameters,
            "own_fold": folds.own,
            "fitted_on": sorted(prepared.samples[row].id for row in folds.calibration),
        },
    )
    tables = {}
    for part, values in logits.items():
        rows = prepared.split.part(part)
        tables[part] = Predictions(
            ids=tuple(prepared.samples[row].id for row in rows),
            groups=tuple(prepared.samples[row].group for row in rows),
            labels=labels_of(prepared, rows),
            logits=values,
            probabilities=softmax(values),
            calibrated=calibrator.apply(values, parameters),
            lesions=tuple(prepared.lesions(rows)),
        )
        path = folder / "predictions" / f"{part}.parquet"
        write_predictions(path, tables[part], plan.parts.dataset.classes)
    return Outcome(tables["valid"], tables["test"], parameters)
