"""Neighbours in the space of a frozen encoder: pairs that are each other's nearest, and very near."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
BLOCK = 1024
QUANTILE = 0.5  # of the cosines of images of one lesion: what is as close as those is worth a look


def mutual_neighbours(
    features: Floats, others: Floats | None = None, *, known: NDArray[np.int64] | None = None, least: float = 0.95
) -> list[tuple[int, int, float]]:
    """Return (row, other row, cosine) of pairs that are each other's nearest with a cosine of at least `least`.

    Features [N, D] are scaled to unit length here. Within one set (`others` is None), rows of one component `known`
    are no neighbours. Most alike first.
    """
    here = _unit(features)
    there = here if others is None else _unit(others)
    forward, cosine = _nearest(here, there, known if others is None else None)
    back = forward if others is None else _nearest(there, here, None)[0]
    pairs = [
        (row, int(other), float(cosine[row]))
        for row, other in enumerate(forward)
        if back[other] == row and cosine[row] >= least and (others is not None or row < other)
    ]
    return sorted(pairs, key=lambda pair: (-pair[2], pair[0], pair[1]))


def threshold(features: Floats, known: NDArray[np.int64], fallback: float = 0.95) -> float:
    """Return the median cosine of neighbouring images of one component; `fallback` where fewer than 20 pairs exist."""
    unit = _unit(features)
    order = np.argsort(known, kind="stable")
    same = known[order[:-1]] == known[order[1:]]
    cosines = np.einsum("nd,nd->n", unit[order[:-1]][same], unit[order[1:]][same])
    return float(np.quantile(cosines, QUANTILE)) if len(cosines) >= 20 else fallback


def _unit(features: Floats) -> Floats:
    flat = np.asarray(features, dtype=np.float32).reshape(len(features), -1)
    return np.asarray(flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6), dtype=np.float32)


def _nearest(here: Floats, there: Floats, known: NDArray[np.int64] | None) -> tuple[NDArray[np.int64], Floats]:
    found, cosine = np.zeros(len(here), dtype=np.int64), np.zeros(len(here), dtype=np.float32)
    for start in range(0, len(here), BLOCK):
        block = here[start : start + BLOCK] @ there.T
        if known is not None:
            block[known[start : start + BLOCK, None] == known[None]] = -2
        found[start : start + BLOCK] = block.argmax(1)
        cosine[start : start + BLOCK] = block.max(1)
    return found, cosine
