"""Many comparisons at once: Holm for a claim, Benjamini-Hochberg for a search. NaN is no test and stays."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from skinframe.weighted import Floats


def holm(p_values: Sequence[float]) -> Floats:
    """Return p adjusted so that any false claim at all stays as rare as stated (Holm 1979)."""
    return _stepped(p_values, lambda p: np.maximum.accumulate(p * np.arange(len(p), 0, -1)))


def benjamini_hochberg(p_values: Sequence[float]) -> Floats:
    """Return p adjusted so that the share of false claims among all stays as stated (Benjamini and Hochberg 1995)."""
    return _stepped(p_values, lambda p: np.minimum.accumulate((p * len(p) / np.arange(1, len(p) + 1))[::-1])[::-1])


def _stepped(p_values: Sequence[float], step: Callable[[Floats], Floats]) -> Floats:
    given = np.asarray(p_values, dtype=np.float64)
    if np.any((given < 0) | (given > 1)):
        raise ValueError("p-values must be in [0, 1]")
    out = given.copy()
    known = np.flatnonzero(~np.isnan(given))
    order = known[np.argsort(given[known], kind="stable")]
    if len(order):
        out[order] = np.minimum(1.0, step(given[order]))
    return out
