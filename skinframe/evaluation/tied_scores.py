"""Sums over samples of equal score, sorted: the base of equal-mass bins, risk-coverage curves and isotonic fits."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from skinframe.weighted_statistics import Floats, Sums


def over_levels(scores: Floats, columns: Sequence[Floats], finish: Callable[[Floats, Floats], Floats]) -> Sums:
    """Return a statistic of finish(levels [G], sums [R, 1 + k, G]): the weight at each distinct score, ascending, and
    the weighted sum there of each of the k columns [N].
    """
    from scipy import sparse

    levels, place = np.unique(scores, return_inverse=True)
    count, size, blocks = len(scores), len(levels), 1 + len(columns)
    values = np.stack([np.ones(count), *columns], axis=1).ravel()
    where = (place.reshape(-1, 1) + size * np.arange(blocks)).ravel()
    starts = np.arange(0, count * blocks + 1, blocks)
    matrix = sparse.csr_array((values, where, starts), shape=(count, size * blocks))
    return Sums(matrix, lambda sums: finish(levels, sums.reshape(len(sums), blocks, size)))


def equal_mass(sums: Floats, bins: int) -> Floats:
    """Add up sums [R, B, G] of sorted levels into bins of equal weight [R, B, bins].

    A level goes to the bin that holds the middle of its weight, so ties stay together and two copies of a sample count
    as one of twice the weight.
    """
    edge = np.cumsum(sums[:, 0], axis=1)
    middle, total = edge - sums[:, 0] / 2, sums[:, 0].sum(axis=1, keepdims=True)
    size = sums.shape[2]
    stops = np.full((len(sums), bins), size)
    for b in range(1, bins):
        stops[:, b - 1] = (middle * bins < b * total).sum(axis=1)
    reached = np.zeros((*sums.shape[:2], size + 1))
    np.cumsum(sums, axis=2, out=reached[:, :, 1:])
    picked = np.take_along_axis(reached, np.broadcast_to(stops[:, None, :], (*sums.shape[:2], bins)), axis=2)
    return np.diff(picked, axis=2, prepend=0.0)
