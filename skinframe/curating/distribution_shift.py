"""Energy distance and MMD between two sets of points, with a permutation test over groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
PERMUTATIONS = 199


@dataclass(frozen=True)
class Shift:
    """Both distances with the p of their permutation tests."""

    energy: float
    energy_p: float
    mmd: float
    mmd_p: float


def contrast(mine: NDArray[np.bool_]) -> Floats:
    """Return w [N]: 1/n for each of the n points of one set, -1/m for each of the m of the other."""
    return np.asarray(np.where(mine, 1 / mine.sum(), -1 / (~mine).sum()))


def energy_distances(distances: Floats, w: Floats) -> Floats:
    """Return 2 E|X-Y| - E|X-X'| - E|Y-Y'| = -w' D w [K] (Szekely and Rizzo 2013).

    `distances` D [N, N] are Euclidean; each column of `w` [N, K] is the contrast of one dealing of the points.
    """
    return np.asarray(-np.sum(w * (distances @ w), axis=0))


def squared_mmds(kernel: Floats, w: Floats) -> Floats:
    """Return the squared maximum mean discrepancies w' K w [K] (Gretton et al. 2012), V-statistics, of a kernel."""
    return np.asarray(np.sum(w * (kernel @ w), axis=0))


def gaussian(distances: Floats) -> Floats:
    """Return exp(-D^2 / 2 h^2) with the median distance as the width h."""
    apart = distances[np.triu_indices(len(distances), 1)]
    width = float(np.median(apart[apart > 0])) if (apart > 0).any() else 1.0
    return np.asarray(np.exp(-0.5 * (distances / width) ** 2))


def shift(points: Floats, mine: NDArray[np.bool_], groups: NDArray[np.int64], seed: int = 0) -> Shift:
    """Compare the points [N, D] of one set (`mine`) with the rest; a group [N] lies on one side and is dealt whole.

    p = (1 + dealings that lie at least as far) / (1 + 199): images of one patient are no independent evidence. Columns
    are scaled to unit variance over both sets.
    """
    from scipy.spatial.distance import cdist

    spread = points.std(0)
    scaled = (points - points.mean(0)) / np.where(spread > 0, spread, 1.0)
    distances = cdist(scaled, scaled)
    kernel = gaussian(distances)
    _, first, member = np.unique(groups, return_index=True, return_inverse=True)
    sides, random = mine[first], np.random.default_rng(seed)
    dealt = [mine, *(random.permutation(sides)[member] for _ in range(PERMUTATIONS))]
    w = np.stack([contrast(side) for side in dealt if 0 < side.sum() < len(side)], axis=1)
    energy, mmd = energy_distances(distances, w), squared_mmds(kernel, w)
    return Shift(float(energy[0]), _p(energy), float(mmd[0]), _p(mmd))


def _p(values: Floats) -> float:
    """Return the share of all values that are at least the first one; rounding does not part equal ones."""
    return float(np.mean(values >= values[0] - 1e-12))
