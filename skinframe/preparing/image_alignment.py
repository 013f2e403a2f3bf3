"""Aligns one image with another: the best-matching window, and whether the skin texture is the same."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skinframe.preparing.image_descriptor import Floats, Window, area_means, axis_matrix, whitening, window_stack

EDGES = (0.0, 0.017, 0.033, 0.05)  # how far each edge may have been cropped
CUTS: tuple[Window, ...] = tuple((low, high) for low in EDGES for high in EDGES)
SIZE, POWER = 12, 0.7
SIDE = 48  # of the aligned pictures whose texture is compared
SHIFT = 1  # cells; the edges above are a grid, and the truth may lie between
SPREAD = 2.0  # cells; the neighbourhood that texture is normalised in
NOISE = 2.0  # grey levels; flat skin under it counts for little
BLACK = 24  # grey levels; the rim of a round field of view is the same in every picture of one camera
RIM = 7  # cells around black that are left out too
FEWEST = 0.25  # share of the cells that must be left
Grid = NDArray[np.uint8]


def best_window(first: Grid, second: Grid) -> tuple[float, tuple[Window, Window]]:
    """Return the largest cosine of low frequencies of `second` with any window of `first`, and that window (y, x)."""
    weights = whitening(SIZE, POWER)
    whole = axis_matrix((0.0, 0.0), SIZE)
    target = (whole @ second.astype(np.float32) @ whole.T) * weights
    stack, count = window_stack(EDGES, SIZE), len(CUTS)
    blocks = (stack @ first.astype(np.float32) @ stack.T).reshape(count, SIZE, count, SIZE).transpose(0, 2, 1, 3)
    blocks = blocks * weights
    lengths = np.sqrt(np.einsum("yxij,yxij->yx", blocks, blocks)) * np.linalg.norm(target)
    cosine = np.einsum("yxij,ij->yx", blocks, target) / np.maximum(lengths, 1e-3)
    y, x = divmod(int(cosine.argmax()), count)
    return float(cosine[y, x]), (CUTS[y], CUTS[x])


def texture(first: Grid, second: Grid, window: tuple[Window, Window]) -> float:
    """Return the correlation, in [-1, 1], of the locally normalised window of `first` with `second`, over small shifts.

    u = (g - mean g) / sqrt(var g + NOISE^2), mean and variance over a Gaussian neighbourhood: hair, pores and network
    weigh as much as the lesion's edge.
    """
    y, x = (area_means(cut, SIDE) for cut in window)
    whole = area_means((0.0, 0.0), SIDE)
    cut, full = _normalised(y @ first @ x.T), _normalised(whole @ second @ whole.T)
    inner = tuple(part[SHIFT:-SHIFT, SHIFT:-SHIFT] for part in cut)
    size = SIDE - 2 * SHIFT
    shifts = product(range(2 * SHIFT + 1), repeat=2)
    return max(_correlation(inner, tuple(part[y : y + size, x : x + size] for part in full)) for y, x in shifts)


def _normalised(grey: NDArray[Any]) -> tuple[Floats, Floats]:
    """Return the normalised picture and 1 where it shows skin, 0 in and around black."""
    from scipy.ndimage import gaussian_filter, minimum_filter

    rest = grey - gaussian_filter(grey, SPREAD)
    normal = rest / np.sqrt(gaussian_filter(rest * rest, SPREAD) + NOISE**2)
    return normal.astype(np.float32), (minimum_filter(grey, RIM) > BLACK).astype(np.float32)


def _correlation(a: tuple[Floats, ...], b: tuple[Floats, ...]) -> float:
    shown = a[1] * b[1]
    length = float(np.sqrt((shown * a[0] ** 2).sum() * (shown * b[0] ** 2).sum()))
    return float((shown * a[0] * b[0]).sum()) / length if length > 1e-3 and shown.mean() >= FEWEST else 0.0
