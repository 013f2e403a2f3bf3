"""The shape of a lesion: outline, base colour and base pattern. `checklist_structures` draws the attributes on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skinframe_tiny.drawing import Colour, Frame, Layer, Picture, Plane, discs, noise, step, strokes

BASE: dict[str, tuple[Colour, Colour]] = {  # middle and rim
    "brown": ((0.40, 0.24, 0.15), (0.58, 0.39, 0.26)),
    "tan": ((0.62, 0.45, 0.29), (0.71, 0.53, 0.38)),
    "pink": ((0.84, 0.50, 0.48), (0.88, 0.62, 0.57)),
    "red": ((0.66, 0.20, 0.23), (0.76, 0.34, 0.34)),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Body:
    """Polar coordinates of each pixel, and depth: 0 at the centre, 1 at the rim, more outside."""

    form: Frame
    theta: Plane
    rho: Plane
    depth: Plane
    inside: Plane  # soft coverage in [0, 1]
    radius: float
    quarters: NDArray[np.float64]  # four perpendicular directions, so that areas do not overlap

    def at(self, angle: float, share: float) -> tuple[float, float]:
        """Return the point at `share` of the radius in direction `angle`."""
        return self.radius * share * float(np.cos(angle)), self.radius * share * float(np.sin(angle))

    def scatter(self, rng: np.random.Generator, count: int, reach: float) -> NDArray[np.float64]:
        """Return points [N, 2] spread evenly over the disc of `reach` radii, in a sunflower arrangement."""
        turn = rng.random() * 2 * np.pi
        order = np.arange(count) + 0.5
        angles = order * 2.39996 + turn + rng.normal(0, 0.15, count)
        share = self.radius * reach * np.sqrt(order / count) + rng.normal(0, 1.0, count)
        return np.stack([share * np.cos(angles), share * np.sin(angles)], axis=1)


def body(form: Frame, rng: np.random.Generator, irregular: bool) -> Body:
    """Draw the outline: an ellipse with smooth harmonics, or with notches and a jagged rim if irregular."""
    radius = rng.uniform(35, 43)
    theta = np.arctan2(form.y, form.x)
    rho = np.hypot(form.x, form.y)
    angles = np.linspace(-np.pi, np.pi, 513, dtype=np.float32)
    outline = 1 + rng.uniform(0.02, 0.09) * np.cos(2 * angles + rng.uniform(0, 6.28))
    strength = 0.085 if irregular else 0.012
    for wave in range(3, 10):
        outline += strength * (3 / wave) ** 0.7 * rng.uniform(0.4, 1.0) * np.cos(wave * angles + rng.uniform(0, 6.28))
    rim = (radius * outline).astype(np.float32)
    bins = ((theta + np.float32(np.pi)) * np.float32(512 / (2 * np.pi))).astype(np.intp)
    depth = rho / rim[bins]
    inside = step((1 - depth) * np.float32(radius), 1.0 if irregular else 2.6)
    quarters = np.asarray(rng.uniform(0, 6.28) + np.pi / 2 * rng.permutation(4), dtype=np.float64)
    return Body(form=form, theta=theta, rho=rho, depth=depth, inside=inside, radius=radius, quarters=quarters)


def paint(shape: Body, colour: str, pattern: str, rng: np.random.Generator) -> Picture:
    """Return the body's colours [S, S, 3] with its base pattern; the caller masks them with `shape.inside`."""
    middle, rim = (np.array(shade, dtype=np.float32) for shade in BASE[colour])
    size = shape.form.size
    mix = np.clip(shape.depth**2 + np.float32(0.12) * noise(rng, size, 6), 0, 1)[..., None]
    picture = middle * (1 - mix) + rim * mix
    mottle = np.float32(0.055) * noise(rng, size, 9) + np.float32(0.035) * noise(rng, size, 36)
    picture *= 1 + mottle[..., None] * np.array([0.8, 1.0, 1.1], dtype=np.float32)
    for layer in PAINTERS[pattern](shape, rng):
        layer.over(picture)
    return np.asarray(picture, dtype=np.float32)


def honeycomb(shape: Body, rng: np.random.Generator, period: float, bend: float) -> Plane:
    """Return the height of a triangular lattice of bumps, warped by smooth noise: low along the lines of a network."""
    form, turn = shape.form, rng.uniform(0, 3.14)
    x = form.x + np.float32(bend) * noise(rng, form.size, 7)
    y = form.y + np.float32(bend) * noise(rng, form.size, 7)
    height = np.zeros_like(x)
    for arm in range(3):
        angle = turn + arm * np.pi / 3 * 2
        along = x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle))
        height += np.cos(np.float32(2 * np.pi / period * 1.1547) * along)
    return height


def _reticular(shape: Body, rng: np.random.Generator) -> list[Layer]:
    lines = step(np.float32(-0.6) - honeycomb(shape, rng, 7.5, 1.5), 0.45)
    strength = np.clip(np.float32(0.5) + np.float32(0.14) * noise(rng, shape.form.size, 6), 0.28, 0.75)
    fading = np.clip((np.float32(1.08) - shape.depth) * np.float32(3), 0, 1)  # a typical network thins out at the rim
    return [Layer(alpha=lines * strength * fading * shape.inside, colour=(0.24, 0.14, 0.09))]


def _homogeneous(shape: Body, rng: np.random.Generator) -> list[Layer]:
    return []


def _ovoid_nests(shape: Body, rng: np.random.Generator) -> list[Layer]:
    count = int(rng.integers(6, 10))
    nests = discs(shape.form, shape.scatter(rng, count, 0.9), rng.uniform(4.0, 6.5, count), 3)
    return [Layer(alpha=nests * np.float32(0.85), colour=(0.36, 0.38, 0.47))]


def _lacunar(shape: Body, rng: np.random.Generator) -> list[Layer]:
    count = int(rng.integers(11, 16))
    lagoons = discs(shape.form, shape.scatter(rng, count, 0.92), rng.uniform(5.5, 7.5, count), 4)
    septa = Layer(alpha=np.float32(0.45) * shape.inside, colour=(0.86, 0.62, 0.60))
    return [septa, Layer(alpha=lagoons * np.float32(0.85), colour=(0.48, 0.07, 0.15))]


def _keratotic(shape: Body, rng: np.random.Generator) -> list[Layer]:
    count = int(rng.integers(14, 22))
    pearls = discs(shape.form, shape.scatter(rng, count, 0.9), rng.uniform(2.0, 3.4, count), 4)
    ridges = step(np.abs(noise(rng, shape.form.size, 11)) * np.float32(-1) + np.float32(0.12), 0.12)
    return [
        Layer(alpha=ridges * np.float32(0.45) * shape.inside, colour=(0.33, 0.22, 0.14)),
        Layer(alpha=pearls * np.float32(0.9), colour=(0.97, 0.93, 0.78)),
    ]


def _central_patch(shape: Body, rng: np.random.Generator) -> list[Layer]:
    patch = step(np.float32(0.5) - shape.depth + np.float32(0.05) * noise(rng, shape.form.size, 8), 0.1)
    rays = [
        (shape.at(angle, 0.1), shape.at(angle + rng.normal(0, 0.1), rng.uniform(0.5, 0.72)))
        for angle in np.arange(9) * 0.698 + rng.normal(0, 0.1, 9)
    ]
    fibres = strokes(shape.form, rays, [1.6] * len(rays))
    return [Layer(alpha=np.maximum(patch, fibres) * np.float32(0.85), colour=(0.95, 0.86, 0.80))]


PAINTERS: dict[str, Callable[[Body, np.random.Generator], list[Layer]]] = {
    "reticular": _reticular,
    "homogeneous": _homogeneous,
    "ovoid_nests": _ovoid_nests,
    "lacunar": _lacunar,
    "keratotic": _keratotic,
    "central_patch": _central_patch,
}
