"""Validation of a checkpoint, and the test predictions of the chosen one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skinframe.data.feed import Feed
from skinframe.durable import write_json
from skinframe.engine.prepare import Prepared
from skinframe.evaluation.calibrate import softmax
from skinframe.evaluation.predict import predict_logits
from skinframe.evaluation.predictions import Predictions, write_predictions
from skinframe.model.assemble import Assembled


def labels_of(prepared: Prepared, rows: Sequence[int]) -> NDArray[np.int64]:
    return np.array([prepared.samples[row].label for row in rows], dtype=np.int64)


def validate(prepared: Prepared, model: Assembled, feed: Feed, part: str = "valid") -> dict[str, float]:
    """Return every metric of the recipe on the validation split, uncalibrated."""
    plan = prepared.plan
    rows = prepared.split.part(part)
    probabilities = softmax(predict_logits(model, feed, rows, plan.wiring.logits, plan.recipe.train.max_tokens))
    labels, ones = labels_of(prepared, rows), np.ones(len(rows))
    return {name: metric.value(labels, probabilities, ones) for name, metric in plan.parts.metrics.items()}


@dataclass(frozen=True)
class Outcome:
    """The chosen checkpoint on validation and test, with the calibrator's parameters."""

    valid: Predictions
    test: Predictions
    parameters: Mapping[str, Any]


def measure(prepared: Prepared, model: Assembled, feed: Feed, folder: Path) -> Outcome:
    """Predict validation and test, fit the calibrator on validation alone, write the tables."""
    plan = prepared.plan
    calibrator = plan.parts.calibrator
    logits = {
        part: predict_logits(model, feed, prepared.split.part(part), plan.wiring.logits, plan.recipe.train.max_tokens)
        for part in ("valid", "test")
    }
    parameters = calibrator.fit(logits["valid"], labels_of(prepared, prepared.split.valid))
    write_json(folder / "calibrator.json", {"use": calibrator.name, "parameters": parameters})
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
        )
        path = folder / "predictions" / f"{part}.parquet"
        write_predictions(path, tables[part], plan.parts.dataset.classes)
    return Outcome(tables["valid"], tables["test"], parameters)
