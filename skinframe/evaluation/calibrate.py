"""Calibrators: maps from logits to probabilities with parameters that only validation predictions may set."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from skinframe.components import Calibrator
from skinframe.errors import DataError
from skinframe.evaluation.weighted import Floats, Ints


def log_softmax(logits: Floats) -> Floats:
    """Return the log probabilities [N, C], from logits shifted by their maximum."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)), dtype=np.float64)


def mean_of_views(scores: Sequence[Floats]) -> Floats:
    """Return the mean over views of the log probabilities [N, C]; the scores themselves where there is one view."""
    if len(scores) == 1:
        return scores[0]
    return np.asarray(np.mean([log_softmax(each) for each in scores], axis=0), dtype=np.float64)


def softmax(logits: Floats) -> Floats:
    """Return probabilities [N, C] that sum to 1 in each row."""
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True), dtype=np.float64)


def temperature_nll(logits: Floats, labels: Ints, temperature: float) -> float:
    """Return the mean NLL of softmax(logits / temperature)."""
    return float(-np.take_along_axis(log_softmax(logits / temperature), labels[:, None], axis=1).mean())


class NoCalibration(Calibrator):
    """The plain softmax, for the row 'before'."""

    name = "none"

    def fit(self, logits: Floats, labels: Ints) -> dict[str, Any]:
        return {}

    def apply(self, logits: Floats, parameters: Mapping[str, Any]) -> Floats:
        return softmax(np.asarray(logits, dtype=np.float64))


class Temperature(Calibrator):
    """One positive number divides all logits (Guo et al. 2017, arXiv:1706.04599): p = softmax(z / T).

    T minimises the validation NLL. NLL is convex in 1 / T, so a bounded search over log T in [low, high] finds the
    only minimum; the class that is named, and NLL on the fitted samples, never get worse.
    Raises DataError where there is nothing to fit on.
    """

    name = "temperature"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        low: float = 0.05
        high: float = 20.0

        def __post_init__(self) -> None:
            if not 0 < self.low < 1 < self.high:
                raise ValueError(f"low and high must satisfy 0 < low < 1 < high, got {self.low} and {self.high}")

    def fit(self, logits: Floats, labels: Ints) -> dict[str, Any]:
        from scipy.optimize import minimize_scalar

        logits, labels = np.asarray(logits, dtype=np.float64), np.asarray(labels, dtype=np.int64)
        if not len(labels):
            raise DataError("calibrator: no validation prediction to fit the temperature on; give the split samples")
        bounds = (math.log(self.config.low), math.log(self.config.high))
        found = minimize_scalar(
            lambda log_t: temperature_nll(logits, labels, math.exp(log_t)),
            bounds=bounds,
            method="bounded",
            options={"xatol": 1e-9, "maxiter": 500},
        )
        temperature = math.exp(float(found.x))
        # the search ends within its tolerance of the optimum, so "no worse than T = 1" needs its own comparison
        if temperature_nll(logits, labels, 1.0) <= temperature_nll(logits, labels, temperature):
            temperature = 1.0
        at_bound = min(abs(math.log(temperature) - bound) for bound in bounds) < 1e-3
        warning = (
            f"temperature {temperature:.3g} is at the bound of [{self.config.low:g}, {self.config.high:g}]: the"
            " validation split is separated without error, or too small to fit on"
        )
        return {"temperature": temperature, "n": len(labels), "warnings": [warning] if at_bound else []}

    def apply(self, logits: Floats, parameters: Mapping[str, Any]) -> Floats:
        return softmax(np.asarray(logits, dtype=np.float64) / float(parameters["temperature"]))
