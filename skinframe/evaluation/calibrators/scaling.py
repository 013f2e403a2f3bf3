"""Temperature with a bias a class, and a factor and a bias a class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from skinframe.components import Calibrator
from skinframe.evaluation.calibrate import log_softmax, softmax
from skinframe.evaluation.calibrators.fit import checked, inverse_temperature, minimise, nll_and_slope, remarks
from skinframe.weighted import Floats, Ints


@dataclass(frozen=True, kw_only=True)
class Ridge:
    """How strongly the fit is pulled towards plain temperature scaling."""

    ridge: float = 0.01

    def __post_init__(self) -> None:
        if not 0 < self.ridge < np.inf:
            raise ValueError(f"ridge must be positive, got {self.ridge}")


class BiasCorrectedTemperature(Calibrator):
    """p = softmax(z / T + b) (Alexandari et al. 2020, arXiv:1901.06852): minimises NLL + ridge |b|^2.

    Never worse than temperature scaling on the samples it is fitted on. Corrects class shares that training bent.
    """

    name = "bias_corrected_temperature"
    Config = Ridge

    def fit(self, logits: Floats, labels: Ints) -> dict[str, Any]:
        z, labels = checked(logits, labels, "temperature and biases")
        start = np.append(np.zeros(z.shape[1]), inverse_temperature(z, labels))

        def cost(theta: Floats) -> tuple[float, Floats]:
            b, u = theta[:-1], theta[-1]
            nll, slope = nll_and_slope(u * z + b, labels)
            return nll + self.config.ridge * float(b @ b), np.append(
                slope.sum(axis=0) + 2 * self.config.ridge * b, (slope * z).sum()
            )

        theta, settled = minimise(cost, start, [(None, None)] * z.shape[1] + [(1e-3, 1e3)])
        found = {"temperature": float(1 / theta[-1]), "bias": theta[:-1].tolist(), "n": len(labels)}
        return found | {"warnings": remarks(z, self.apply(z, found), settled)}

    def apply(self, logits: Floats, parameters: Mapping[str, Any]) -> Floats:
        z = log_softmax(np.asarray(logits, dtype=np.float64))
        return softmax(z / float(parameters["temperature"]) + np.asarray(parameters["bias"]))


class Vector(Calibrator):
    """p = softmax(a * log p + b), a factor and a bias a class (Guo et al. 2017, arXiv:1706.04599).

    Minimises NLL + ridge (|a - 1/T|^2 + |b|^2), T that of temperature scaling, which it is never worse than where it is
    fitted.
    """

    name = "vector"
    Config = Ridge

    def fit(self, logits: Floats, labels: Ints) -> dict[str, Any]:
        z, labels = checked(logits, labels, "factors and biases")
        u, classes, ridge = inverse_temperature(z, labels), z.shape[1], self.config.ridge

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
