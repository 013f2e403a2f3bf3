"""Calibrators: maps from logits to probabilities with parameters that only validation predictions may set.

Those of more than one parameter read log probabilities, which do not depend on a constant in a row of logits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from skinframe.components import Calibrator
from skinframe.errors import DataError
from skinframe.evaluation.softmax import log_softmax, softmax
from skinframe.weighted_statistics import Floats, Ints, one_hot


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
    only minimum; the class that is named, and NLL on the fitted samples, never get worse. Predictions of a single
    class leave T at 1. Raises DataError where there is nothing to fit on.
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
        if single_class(labels):
            return {"temperature": 1.0, "n": len(labels), "warnings": [SINGLE_CLASS]}
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
        return {"temperature": temperature, "n": len(labels), "warnings": self._at_bound(temperature, logits, labels)}

    def _at_bound(self, temperature: float, logits: Floats, labels: Ints) -> list[str]:
        """Return which bound the temperature reached and why, from the predictions that it was fitted on."""
        low, high = self.config.low, self.config.high
        wrong = int((logits.argmax(axis=1) != labels).sum())
        where = f"the {len(labels)} calibration predictions ({wrong} wrong, {len(set(labels.tolist()))} classes)"
        if abs(math.log(temperature / low)) < 1e-3:
            what = f"lower bound {low:g}: {where} would be fitted better by still sharper probabilities"
        elif abs(math.log(temperature / high)) < 1e-3:
            what = f"upper bound {high:g}: {where} would be fitted better by probabilities that are nearly uniform"
        else:
            return []
        return [f"the temperature is at its {what}; probabilities after calibration are not to be trusted"]

    def apply(self, logits: Floats, parameters: Mapping[str, Any]) -> Floats:
        return softmax(np.asarray(logits, dtype=np.float64) / float(parameters["temperature"]))


SINGLE_CLASS = "all calibration predictions are of one class: no calibrator can be fitted, and none is applied"


def single_class(labels: Ints) -> bool:
    """Say whether all samples are of one class: a fit would learn its share, which is 1 here and nowhere else."""
    return len(np.unique(labels)) == 1


def log_probabilities(logits: Floats, labels: Ints, what: str) -> tuple[Floats, Ints]:
    """Return log probabilities [N, C] and labels [N]. Raises DataError where there is nothing to fit on."""
    labels = np.asarray(labels, dtype=np.int64)
    if not len(labels):
        raise DataError(f"calibrator: no calibration prediction to fit {what} on; give the split samples")
    return log_softmax(np.asarray(logits, dtype=np.float64)), labels


def inverse_temperature(logits: Floats, labels: Ints) -> float:
    """Return 1 / T of plain temperature scaling: where every fit starts, and what its ridge pulls towards."""
    return 1 / float(Temperature().fit(logits, labels)["temperature"])


def minimise(cost: Callable[[Floats], tuple[float, Floats]], start: Floats, bounds: Any = None) -> tuple[Floats, bool]:
    """Return the minimum of a cost with its gradient, never worse than the start, and whether it settled."""
    from scipy.optimize import minimize

    found = minimize(cost, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 5000, "ftol": 1e-14})
    better = found.fun <= cost(start)[0]
    return (np.asarray(found.x) if better else start), bool(found.success)


def nll_and_slope(scores: Floats, labels: Ints) -> tuple[float, Floats]:
    """Return the mean NLL of softmax(scores) and its gradient by the scores [N, C]."""
    logs = log_softmax(scores)
    nll = -float(np.take_along_axis(logs, labels[:, None], axis=1).mean())
    return nll, (softmax(scores) - one_hot(labels, scores.shape[1])) / len(labels)


def remarks(before: Floats, after: Floats, settled: bool) -> list[str]:
    """Return what a reader must know of a fit: it did not settle, or it names other classes than the model did."""
    moved = float((before.argmax(axis=1) != after.argmax(axis=1)).mean())
    return [
        *([] if settled else ["the calibrator's fit stopped before it converged"]),
        *([f"the calibrator names another class in {moved:.1%} of the samples it was fitted on"] if moved else []),
    ]


@dataclass(frozen=True, kw_only=True)
class Ridge:
    """How strongly the fit is pulled towards plain temperature scaling, in samples.

    The penalty stands beside the sum of the log losses, not their mean: the more data there are, the less it matters.
    """

    ridge: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.ridge < np.inf:
            raise ValueError(f"ridge must be positive, got {self.ridge}")


class BiasCorrectedTemperature(Calibrator):
    """p = softmax(z / T + b) (Alexandari et al. 2020, arXiv:1901.06852): minimises sum NLL + ridge |b|^2.

    Never worse than temperature scaling on the samples it is fitted on. Corrects class shares that training bent.
    """

    name = "bias_corrected_temperature"
    Config = Ridge

    def fit(self, logits: Floats, labels: Ints) -> dict[str, Any]:
        z, labels = log_probabilities(logits, labels, "temperature and biases")
        start = np.append(np.zeros(z.shape[1]), inverse_temperature(z, labels))
        if single_class(labels):
            return {"temperature": 1.0, "bias": start[:-1].tolist(), "n": len(labels), "warnings": [SINGLE_CLASS]}
        ridge = self.config.ridge / len(labels)

        def cost(theta: Floats) -> tuple[float, Floats]:
            b, u = theta[:-1], theta[-1]
            nll, slope = nll_and_slope(u * z + b, labels)
            return nll + ridge * float(b @ b), np.append(slope.sum(axis=0) + 2 * ridge * b, (slope * z).sum())

        theta, settled = minimise(cost, start, [(None, None)] * z.shape[1] + [(1e-3, 1e3)])
        found = {"temperature": float(1 / theta[-1]), "bias": theta[:-1].tolist(), "n": len(labels)}
        return found | {"warnings": remarks(z, self.apply(z, found), settled)}

    def apply(self, logits: Floats, parameters: Mapping[str, Any]) -> Floats:
        z = log_softmax(np.asarray(logits, dtype=np.float64))
        return softmax(z / float(parameters["temperature"]) + np.asarray(parameters["bias"]))


class Vector(Calibrator):
    """p = softmax(a * log p + b), a factor and a bias a class (Guo et al. 2017, arXiv:1706.04599).

    Minimises sum NLL + ridge (|a - 1/T|^2 + |b|^2), T that of temperature scaling, which it is never worse than where
    it is fitted.
    """

    name = "vector"
    Config = Ridge

    def fit(self, logits: Floats, labels: Ints) -> dict[str, Any]:
        z, labels = log_probabilities(logits, labels, "factors and biases")
        u, classes, ridge = inverse_temperature(z, labels), z.shape[1], self.config.ridge / len(labels)
        if single_class(labels):
            same = {"factor": [1.0] * classes, "bias": [0.0] * classes}
            return {**same, "n": len(labels), "warnings": [SINGLE_CLASS]}

        def cost(theta: Floats) -> tuple[float, Floats]:
            a, b = theta[:classes], theta[classes:]
            nll, slope = nll_and_slope(a * z + b, labels)
            grad = np.concatenate([(slope * z).sum(axis=0) + 2 * ridge * (a - u), slope.sum(axis=0) + 2 * ridge * b])
            return nll + ridge * float((a - u) @ (a - u) + b @ b), grad

        theta, settled = minimise(cost, np.concatenate([np.full(classes, u), np.zeros(classes)]))
        found = {"factor": theta[:classes].tolist(), "bias": theta[classes:].tolist(), "n": len(labels)}
        return found | {"warnings": remarks(z, self.apply(z, found), settled)}

    def apply(self, logits: Floats, parameters: Mapping[str, Any]) -> Floats:
        z = log_softmax(np.asarray(logits, dtype=np.float64))
        return softmax(z * np.asarray(parameters["factor"]) + np.asarray(parameters["bias"]))


class Dirichlet(Calibrator):
    """p = softmax(W log p + b) with a penalty off the diagonal (Kull et al. 2019, arXiv:1910.12656).

    Minimises sum NLL + off_diagonal sum_{i != j} W_ij^2 + ridge (|diag W - 1/T|^2 + |b|^2), T that of temperature
    scaling. As off_diagonal grows it becomes `vector`. May name other classes, and says so; wants many samples.
    """

    name = "dirichlet"

    @dataclass(frozen=True, kw_only=True)
    class Config(Ridge):
        off_diagonal: float = 10.0

        def __post_init__(self) -> None:
            super().__post_init__()
            if not 0 < self.off_diagonal < np.inf:
                raise ValueError(f"off_diagonal must be positive, got {self.off_diagonal}")

    def fit(self, logits: Floats, labels: Ints) -> dict[str, Any]:
        z, labels = log_probabilities(logits, labels, "a matrix")
        classes = z.shape[1]
        if single_class(labels):
            same = {"matrix": np.eye(classes).tolist(), "bias": [0.0] * classes}
            return {**same, "n": len(labels), "warnings": [SINGLE_CLASS]}
        centre = inverse_temperature(z, labels) * np.eye(classes)
        ridge, off_diagonal = self.config.ridge / len(labels), self.config.off_diagonal / len(labels)
        # in units of the penalty it is |v|^2, so that a stiff penalty does not make the fit ill-conditioned
        unit = np.where(np.eye(classes) > 0, ridge, off_diagonal) ** -0.5

        def cost(v: Floats) -> tuple[float, Floats]:
            matrix, bias = centre + unit * v[classes:].reshape(classes, classes), v[:classes]
            nll, slope = nll_and_slope(z @ matrix.T + bias, labels)
            grad = np.concatenate([slope.sum(axis=0) + 2 * ridge * bias, (slope.T @ z * unit).ravel()])
            grad[classes:] += 2 * v[classes:]
            return nll + float(v[classes:] @ v[classes:]) + ridge * float(bias @ bias), grad

        v, settled = minimise(cost, np.zeros(classes + classes**2))
        matrix = centre + unit * v[classes:].reshape(classes, classes)
        found = {"matrix": matrix.tolist(), "bias": v[:classes].tolist(), "n": len(labels)}
        return found | {"warnings": remarks(z, self.apply(z, found), settled)}

    def apply(self, logits: Floats, parameters: Mapping[str, Any]) -> Floats:
        z = log_softmax(np.asarray(logits, dtype=np.float64))
        return softmax(z @ np.asarray(parameters["matrix"]).T + np.asarray(parameters["bias"]))
