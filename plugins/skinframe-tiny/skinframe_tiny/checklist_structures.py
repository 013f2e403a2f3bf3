"""Drawing functions of the seven checklist attributes, each from a lesion shape to layers, which are also its mask."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from skinframe_tiny.drawing import Layer, Plane, discs, noise, step, strokes
from skinframe_tiny.lesion_shape import Body, honeycomb

Draw = Callable[[Body, np.random.Generator], list[Layer]]


def _area(shape: Body, rng: np.random.Generator, angle: float, share: float, radius: float) -> Plane:
    """Return a ragged soft-edged area [S, S] around a point of the lesion."""
    x, y = shape.at(angle, share)
    distance = np.hypot(shape.form.x - np.float32(x), shape.form.y - np.float32(y))
    ragged = np.float32(3.6) * noise(rng, shape.form.size, 8) + np.float32(1.2) * noise(rng, shape.form.size, 24)
    return step(np.float32(radius) - distance + ragged, 4.0) * shape.inside


def atypical_network(shape: Body, rng: np.random.Generator) -> list[Layer]:
    """Broad, dark, unequal meshes over most of the lesion, ending abruptly."""
    uneven = np.float32(0.4) * noise(rng, shape.form.size, 6)
    lines = step(np.float32(-0.45) - honeycomb(shape, rng, 13, 3.2) + uneven, 0.35)
    abrupt = step(np.float32(0.96) - shape.depth, 0.05)
    return [Layer(alpha=lines * np.float32(0.85) * abrupt, colour=(0.15, 0.08, 0.05))]


def blue_whitish_veil(shape: Body, rng: np.random.Generator) -> list[Layer]:
    """Structureless steel blue under a whitish film."""
    area = _area(shape, rng, shape.quarters[0], 0.42, rng.uniform(14, 18))
    film = np.clip(np.float32(0.35) + np.float32(0.2) * noise(rng, shape.form.size, 10), 0, 0.7)
    return [
        Layer(alpha=area * np.float32(0.88), colour=(0.27, 0.38, 0.62)),
        Layer(alpha=area * film, colour=(0.78, 0.83, 0.92)),
    ]


def atypical_vessels(shape: Body, rng: np.random.Generator) -> list[Layer]:
    """Bright red serpentine and branching lines with red dots beside them."""
    lines, widths = [], []
    for _ in range(int(rng.integers(5, 8))):
        x, y = shape.at(rng.uniform(0, 6.28), rng.uniform(0.1, 0.75))
        heading, line = rng.uniform(0, 6.28), [(x, y)]
        for _ in range(int(rng.integers(7, 11))):
            heading += rng.normal(0, 0.65)
            x, y = x + 3.2 * float(np.cos(heading)), y + 3.2 * float(np.sin(heading))
            line.append((x, y))
        lines.append(line)
        widths.append(rng.uniform(1.3, 2.1))
        branch = heading + rng.choice([-1.0, 1.0])
        middle = line[len(line) // 2]
        lines.append([middle, (middle[0] + 8 * float(np.cos(branch)), middle[1] + 8 * float(np.sin(branch)))])
        widths.append(1.1)
    count = int(rng.integers(6, 12))
    spots = discs(shape.form, shape.scatter(rng, count, 0.8), rng.uniform(1.2, 1.7, count), 4)
    red = np.maximum(strokes(shape.form, lines, widths), spots) * step(np.float32(1.05) - shape.depth, 0.05)
    return [Layer(alpha=red * np.float32(0.92), colour=(0.80, 0.04, 0.10))]


def irregular_streaks(shape: Body, rng: np.random.Generator) -> list[Layer]:
    """Dark radial projections with bulbous ends at one part of the rim."""
    start, count = rng.uniform(0, 6.28), int(rng.integers(10, 15))
    lines, tips = [], []
    for number in range(count):
        angle = start + number * 0.19 + rng.normal(0, 0.05)
        tip = shape.at(angle + rng.normal(0, 0.04), rng.uniform(1.08, 1.32))
        lines.append((shape.at(angle, 0.70), tip))
        tips.append(tip)
    bulbs = discs(shape.form, np.array(tips), rng.uniform(1.5, 2.3, count), 3)
    dark = np.maximum(strokes(shape.form, lines, rng.uniform(1.8, 3.2, count).tolist()), bulbs)
    return [Layer(alpha=dark * np.float32(0.88), colour=(0.20, 0.11, 0.08))]


def irregular_pigmentation(shape: Body, rng: np.random.Generator) -> list[Layer]:
    """An off-centre, structureless, almost black blotch that runs to the rim."""
    area = _area(shape, rng, shape.quarters[1], 0.68, rng.uniform(13, 16))
    return [Layer(alpha=area * np.float32(0.92), colour=(0.16, 0.08, 0.05))]


def irregular_dots_globules(shape: Body, rng: np.random.Generator) -> list[Layer]:
    """Dark brown spots of unequal size, crowded on one side."""
    count = int(rng.integers(16, 24))
    x, y = shape.at(shape.quarters[2], 0.5)
    centres = np.array([x, y]) + rng.normal(0, shape.radius * 0.27, (count, 2))
    spots = discs(shape.form, centres, rng.uniform(1.3, 3.2, count), 4)
    return [Layer(alpha=spots * np.float32(0.95) * shape.inside, colour=(0.20, 0.10, 0.05))]


def regression_structures(shape: Body, rng: np.random.Generator) -> list[Layer]:
    """A white scar-like area strewn with blue-grey pepper."""
    area = _area(shape, rng, shape.quarters[3], 0.5, rng.uniform(16, 19))
    x, y = shape.at(shape.quarters[3], 0.5)
    pepper = discs(shape.form, np.array([x, y]) + rng.normal(0, 6.5, (26, 2)), rng.uniform(0.8, 1.2, 26), 4)
    return [
        Layer(alpha=area * np.float32(0.85), colour=(0.93, 0.89, 0.87)),
        Layer(alpha=pepper * area * np.float32(0.85), colour=(0.36, 0.42, 0.50)),
    ]


# In drawing order, deepest layer first; the keys are likelihoods.ATTRIBUTES.
DRAWERS: dict[str, Draw] = {
    "irregular_pigmentation": irregular_pigmentation,
    "atypical_network": atypical_network,
    "regression_structures": regression_structures,
    "blue_whitish_veil": blue_whitish_veil,
    "irregular_streaks": irregular_streaks,
    "irregular_dots_globules": irregular_dots_globules,
    "atypical_vessels": atypical_vessels,
}
