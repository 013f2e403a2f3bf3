"""A linear classifier under focal loss, for the row 'focal loss and temperature'."""

from __future__ import annotations

import numpy as np

from skinframe.evaluation.calibrate import log_softmax
from skinframe.evaluation.weighted import Floats, Ints

STEPS = 2000


def focal_sum(logits: Floats, labels: Ints, gamma: float) -> tuple[float, Floats]:
    """Return sum_i (1 - p_i)^gamma (-log p_i), p_i = softmax(logits_i)[labels_i], and its gradient [N, C].

    Lin et al. 2017 (arXiv:1708.02002), without class weights. `logits` is [N, C]; gamma is 0 or at least 1.
    """
    logs = log_softmax(logits)
    rows = np.arange(len(labels))
    log_p = logs[rows, labels]
    miss = -np.expm1(log_p)
    pull = -(miss**gamma)  # d loss / d log p_i, without p_i's part in the factor
    if gamma:
        pull += gamma * np.exp(log_p) * miss ** (gamma - 1) * log_p
    slope = -np.exp(logs)
    slope[rows, labels] += 1.0  # d log p_i / d logits
    return float((miss**gamma * -log_p).sum()), pull[:, None] * slope


def focal_fit(
    features: Floats, labels: Ints, start: Floats, *, strength: float, gamma: float
) -> tuple[Floats, tuple[str, ...]]:
    """Return W [C, D + 1], its last column the biases, that minimises strength * focal_sum + |W without biases|^2 / 2.

    From `start` downhill by L-BFGS: the loss is not convex, and the minimum that cross entropy leads to is meant.
    `features` is [N, D]. Also returns what went wrong.
    """
    from scipy.optimize import minimize

    inputs = np.hstack([features, np.ones((len(features), 1))])

    def objective(flat: Floats) -> tuple[float, Floats]:
        w = flat.reshape(start.shape)
        value, slope = focal_sum(inputs @ w.T, labels, gamma)
        penalised = np.hstack([w[:, :-1], np.zeros((len(w), 1))])
        return strength * value + 0.5 * float((penalised**2).sum()), (strength * slope.T @ inputs + penalised).ravel()

    found = minimize(objective, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": STEPS})
    said = () if found.success else ("the focal probe stopped before it converged",)
    return np.asarray(found.x, dtype=np.float64).reshape(start.shape), said
