"""Low-frequency image descriptors: robust to rotation, mirroring, resizing, re-encoding and cropping."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# transpose, flip up-down, flip left-right: the order of `features.views.STEPS`
TURNS = (
    *((False, False, False), (False, False, True), (False, True, False), (False, True, True)),
    *((True, True, False), (True, False, True), (True, False, False), (True, True, True)),
)
GRID = 64  # side of the grey grid that everything here is made from
INNER = 32  # side of the window that the cosine transform sees
Floats = NDArray[np.float32]
Window = tuple[float, float]  # shares cut off at the beginning and at the end of an axis


def grey_grid(image: Image.Image) -> NDArray[np.uint8]:
    """Return the whole frame as 64 x 64 grey area means; the aspect is dropped, so a quarter turn is a transpose."""
    return np.asarray(image.convert("L").resize((GRID, GRID), Image.Resampling.BOX))


@lru_cache(maxsize=256)
def area_means(window: Window, size: int) -> Floats:
    """Return [size, GRID]: the axis cut down to a window and resampled to `size` cells by area means."""
    edges = np.linspace(window[0], 1 - window[1], size + 1) * GRID
    cell = np.arange(GRID)
    means = np.clip(np.minimum(edges[1:, None], cell + 1) - np.maximum(edges[:-1, None], cell), 0, None)
    return np.asarray(means / means.sum(1, keepdims=True), dtype=np.float32)


@lru_cache(maxsize=256)
def axis_matrix(window: Window, size: int) -> Floats:
    """Return [size, GRID]: area means of a window of the axis, then its first `size` cosine frequencies."""
    frequency = np.arange(size)[:, None]
    cosine = np.cos(np.pi * (np.arange(INNER) + 0.5) * frequency / INNER)
    scale = np.sqrt((1 + (frequency > 0)) / INNER)
    return np.asarray(scale * cosine @ area_means(window, INNER), dtype=np.float32)


@lru_cache(maxsize=8)
def whitening(size: int, power: float) -> Floats:
    """Return [size, size] weights r^power over radial frequency r, 0 at r = 0.

    Skin pictures have falling spectra; lifting the higher ones makes two strangers uncorrelated, and drops brightness.
    """
    axis = np.arange(size, dtype=np.float64)
    radius = np.sqrt(axis[:, None] ** 2 + axis[None] ** 2)
    return np.where(radius > 0, radius**power, 0).astype(np.float32)


def describe(grids: NDArray[np.uint8], size: int, power: float, y: Window = (0, 0), x: Window = (0, 0)) -> Floats:
    """Return unit descriptors [N, size * size] of a window of each grid [N, 64, 64]; zero for a flat picture."""
    low = axis_matrix(y, size) @ grids.astype(np.float32) @ axis_matrix(x, size).T
    flat = (low * whitening(size, power)).reshape(len(grids), -1)
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    return np.asarray(np.where(length > 1e-3, flat / np.maximum(length, 1e-3), 0), dtype=np.float32)


def turned(descriptors: Floats, view: int, size: int) -> Floats:
    """Return the descriptors of a dihedral view: a transpose of frequencies, and sign changes of the odd ones."""
    transpose, flip_y, flip_x = TURNS[view]
    sign = (-1.0) ** np.arange(size, dtype=np.float32)
    low = descriptors.reshape(-1, size, size)
    low = low.transpose(0, 2, 1) if transpose else low
    low = low * sign[:, None] if flip_y else low
    low = low * sign if flip_x else low
    return np.asarray(low.reshape(len(descriptors), -1), dtype=np.float32)


@lru_cache(maxsize=8)
def window_stack(edges: tuple[float, ...], size: int) -> Floats:
    """Return [len(edges)^2 * size, GRID]: the axis matrices of every pair of cuts, one under the other."""
    return np.concatenate([axis_matrix((low, high), size) for low in edges for high in edges])


def turned_grid(grid: NDArray[np.uint8], view: int) -> NDArray[np.uint8]:
    """Return a grid as the dihedral view shows it."""
    transpose, flip_y, flip_x = TURNS[view]
    grid = grid.T if transpose else grid
    return grid[:: -1 if flip_y else 1, :: -1 if flip_x else 1]
