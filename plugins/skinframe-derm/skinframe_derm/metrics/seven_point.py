"""Derm7pt: how well the seven criteria are read, and the checklist's total (Argenziano 1998, Kawahara et al. 2019)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skinframe.roc import auroc
from skinframe.weighted_statistics import Floats, once, share_of

POINTS = {
    "atypical pigment network": 2,
    "blue-whitish veil": 2,
    "atypical vascular structures": 2,
    "irregular streaks": 1,
    "irregular pigmentation": 1,
    "irregular dots and globules": 1,
    "regression structures": 1,
}
REFER = 3  # a total of at least this much calls a lesion suspicious


@dataclass(frozen=True)
class Criterion:
    """One criterion against the rest, as Derm7pt reports it; NaN where it is undefined."""

    name: str
    positives: int
    sensitivity: float
    specificity: float
    precision: float
    auroc: float


def total(present: Mapping[str, NDArray[np.bool_]]) -> NDArray[np.int64]:
    """Return the seven-point total [N], major criteria 2 and minor 1. Raises ValueError where one is not given."""
    absent = sorted(POINTS.keys() - present.keys())
    if absent:
        raise ValueError(f"the seven-point total needs all criteria, without {', '.join(absent)}")
    return np.asarray(sum(points * present[name].astype(np.int64) for name, points in POINTS.items()), dtype=np.int64)


def suspicious(present: Mapping[str, NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """Say of each lesion whether its total is at least 3."""
    return total(present) >= REFER


def criterion(
    name: str, truth: NDArray[np.bool_], scores: Floats, weights: Floats, threshold: float = 0.5
) -> Criterion:
    """Return sensitivity, specificity and precision at `threshold`, and AUROC, of one criterion [N]."""
    named = scores > threshold
    return Criterion(
        name,
        int(truth.sum()),
        once(share_of(named, truth), weights),
        once(share_of(~named, ~truth), weights),
        once(share_of(truth, named), weights),
        once(auroc(truth, scores), weights),
    )
