"""Drawing primitives: pixel coordinates, smooth noise, discs, strokes and layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Plane = NDArray[np.float32]  # [S, S]
Picture = NDArray[np.float32]  # [S, S, 3], RGB in [0, 1]
Colour = tuple[float, float, float]
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Layer:
    """A layer to composite: alpha [S, S] in [0, 1] and one colour, or one per pixel."""

    alpha: Plane
    colour: Colour | Picture

    def over(self, picture: Picture) -> None:
        """Composite onto `picture` in place."""
        colour = np.asarray(self.colour, dtype=np.float32)
        picture += self.alpha[..., None] * (colour - picture)


@dataclass(frozen=True, kw_only=True, eq=False)
class Frame:
    """Pixel coordinates around the middle, in units of 1/128 of the side, so that shapes scale with the size."""

    size: int
    x: Plane
    y: Plane
    axis: NDArray[np.float32]  # [S], the coordinate of each column (and row)


@lru_cache(maxsize=4)
def frame(size: int) -> Frame:
    """Return the coordinates of a `size` x `size` picture; cached and read-only."""
    axis = (((np.arange(size) + 0.5) / size - 0.5) * 128).astype(np.float32)
    x, y = (np.asarray(plane, dtype=np.float32) for plane in np.meshgrid(axis, axis))
    for plane in (axis, x, y):
        plane.setflags(write=False)
    return Frame(size=size, x=x, y=y, axis=axis)


@lru_cache(maxsize=32)
def _upsampler(size: int, cells: int) -> NDArray[np.float32]:
    """Return cubic B-spline weights [S, cells + 3]: smooth noise is weights @ grid @ weights.T."""
    at = (np.arange(size) + 0.5) / size * cells
    first = np.floor(at).astype(int)
    t = at - first
    basis = np.stack([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3], axis=1) / 6
    weights = np.zeros((size, cells + 3), dtype=np.float32)
    np.put_along_axis(weights, first[:, None] + np.arange(4), basis.astype(np.float32), axis=1)
    weights.setflags(write=False)
    return weights


def noise(rng: np.random.Generator, size: int, cells: int) -> Plane:
    """Return smooth noise [S, S] of about unit variance whose features are about 1/`cells` of the side."""
    weights = _upsampler(size, cells)
    grid = rng.standard_normal((cells + 3, cells + 3), dtype=np.float32)
    return np.asarray(weights @ grid @ weights.T * np.float32(2.0), dtype=np.float32)


def step(value: Plane, softness: float) -> Plane:
    """Return 0 below -softness, 1 above softness, a straight ramp between."""
    return np.asarray(np.clip(value * np.float32(0.5 / softness) + np.float32(0.5), 0, 1), dtype=np.float32)


def discs(form: Frame, centres: NDArray[np.float64], radii: NDArray[np.float64], sharpness: float = 2.0) -> Plane:
    """Return round spots [S, S] in [0, 1] at centres [N, 2] (x, y), by one separable product."""
    narrow = (0.6 / radii**2).astype(np.float32)
    across = np.exp(-narrow * (form.axis[:, None] - centres[:, 0].astype(np.float32)) ** 2)
    down = np.exp(-narrow * (form.axis[:, None] - centres[:, 1].astype(np.float32)) ** 2)
    return step(down @ across.T - np.float32(0.55), 0.5 / sharpness)


def strokes(form: Frame, lines: Sequence[Points], widths: Sequence[float]) -> Plane:
    """Return polylines [S, S] in [0, 1], drawn at three times the size and averaged down."""
    fine = 3
    scale = form.size * fine / 128
    image = Image.new("L", (form.size * fine, form.size * fine))
    pen = ImageDraw.Draw(image)
    for line, width in zip(lines, widths, strict=True):
        points = [((x + 64) * scale, (y + 64) * scale) for x, y in line]
        pen.line(points, fill=255, width=max(1, round(width * scale)), joint="curve")
    return np.asarray(image.reduce(fine), dtype=np.float32) / np.float32(255)
