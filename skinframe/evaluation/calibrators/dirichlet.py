"""A full matrix over log probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from skinframe.components import Calibrator
from skinframe.evaluation.calibrate import log_softmax, softmax
from skinframe.evaluation.calibrators.fit import checked, inverse_temperature, minimise, nll_and_slope, remarks
from skinframe.evaluation.calibrators.scaling import Ridge
from skinframe.weighted import Floats, Ints


class Dirichlet(Calibrator):
    """p = softmax(W log p + b) with a penalty off the diagonal (Kull et al. 2019, arXiv:1910.12656).

    Minimises NLL + off_diagonal sum_{i != j} W_ij^2 + ridge (|diag W - 1/T|^2 + |b|^2), T that of temperature scaling.
    As off_diagonal grows it becomes `vector`. May name other classes, and says so; wants many samples.
    """

    name = "dirichlet"

    @dataclass(frozen=True, kw_only=True)
    class Config(Ridge):
        off_diagonal: float = 0.1

        def __post_init__(self) -> None:
            super().__post_init__()
            if not 0 < self.off_diagonal < np.inf:
                raise ValueError(f"off_diagonal must be positive, got {self.off_diagonal}")

    def fit(self, logits: Floats, labels: Ints) -> dict[str, Any]:
        z, labels = checked(logits, labels, "a matrix")
        classes = z.shape[1]
        centre = inverse_temperature(z, labels) * np.eye(classes)
        # in units of the penalty it is |v|^2, so that a stiff penalty does not make the fit ill-conditioned
        unit = np.where(np.eye(classes) > 0, self.config.ridge, self.config.off_diagonal) ** -0.5

        def cost(v: Floats) -> tuple[float, Floats]:
            matrix, bias = centre + unit * v[classes:].reshape(classes, classes), v[:classes]
            nll, slope = nll_and_slope(z @ matrix.T + bias, labels)
            grad = np.concatenate([slope.sum(axis=0) + 2 * self.config.ridge * bias, (slope.T @ z * unit).ravel()])
            grad[classes:] += 2 * v[classes:]
            return nll + float(v[classes:] @ v[classes:]) + self.config.ridge * float(bias @ bias), grad

        v, settled = minimise(cost, np.zeros(classes + classes**2))
        matrix = centre + unit * v[classes:].reshape(classes, classes)
        found = {"matrix": matrix.tolist(), "bias": v[:classes].tolist(), "n": len(labels)}
        return found | {"warnings": remarks(z, self.apply(z, found), settled)}

    def apply(self, logits: Floats, parameters: Mapping[str, Any]) -> Floats:
        z = log_softmax(np.asarray(logits, dtype=np.float64))
        return softmax(z @ np.asarray(parameters["matrix"]).T + np.asarray(parameters["bias"]))
