"""What all fitted calibrators share: a convex fit of affine maps, and the checks before it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from skinframe.errors import DataError
from skinframe.evaluation.calibrate import Temperature, log_softmax, softmax
from skinframe.weighted import Floats, Ints, one_hot


def checked(logits: Floats, labels: Ints, what: str) -> tuple[Floats, Ints]:
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
