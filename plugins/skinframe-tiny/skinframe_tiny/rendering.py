"""Renders photographs: a lesion in a pose on skin, with hair, light, vignette and sensor noise; and its masks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from skinframe.seeding import derive
from skinframe_tiny import likelihoods
from skinframe_tiny.checklist_structures import DRAWERS
from skinframe_tiny.drawing import Frame, Layer, Picture, Plane, frame, noise, step, strokes
from skinframe_tiny.lesion_shape import body, paint
from skinframe_tiny.patients import Photograph

SKINS = ((0.90, 0.74, 0.66), (0.86, 0.68, 0.57), (0.79, 0.60, 0.47), (0.68, 0.48, 0.35), (0.53, 0.36, 0.26))
VISIBLE = 0.3  # a pixel is in a mask where its layers have at least this coverage


@dataclass(frozen=True, kw_only=True, eq=False)
class Lesion:
    """A lesion in its own frame: colours [S, S, 3], coverage [S, S] and one coverage per attribute."""

    colours: Picture
    alpha: Plane
    parts: dict[str, Plane]


def lesion(shown: Photograph, size: int) -> Lesion:
    """Render what all photographs of this lesion share. Each part has its own random stream."""
    seed, findings = shown.lesion_seed, shown.findings
    streams = {name: np.random.default_rng(derive(seed, name)) for name in ("outline", "paint")}
    shape = body(frame(size), streams["outline"], likelihoods.BORDERS[findings.border] == "irregular")
    colours = paint(
        shape, likelihoods.COLOURS[findings.colour], likelihoods.PATTERNS[findings.pattern], streams["paint"]
    )
    alpha, parts = shape.inside * np.float32(0.94), {"lesion": shape.inside}
    present = dict(zip(likelihoods.ATTRIBUTES, findings.attributes, strict=True))
    for name, draw in DRAWERS.items():
        if present[name]:
            layers = draw(shape, np.random.default_rng(derive(seed, name)))
            for layer in layers:
                layer.over(colours)
            parts[name] = layers[0].alpha if len(layers) == 1 else np.maximum(layers[0].alpha, layers[1].alpha)
            alpha = np.maximum(alpha, parts[name])
    return Lesion(colours=colours, alpha=alpha, parts=parts)


def picture(shown: Photograph, size: int) -> NDArray[np.uint8]:
    """Return the photograph, RGB [S, S, 3]."""
    rng, form = np.random.default_rng(shown.photo_seed), frame(size)
    pose = _pose(rng, size)
    drawn = lesion(shown, size)
    tone = np.array(SKINS[shown.tone], dtype=np.float32)
    shade = np.float32(0.62) + np.float32(0.38) * tone / np.array(SKINS[0], dtype=np.float32)  # pigment over the lesion
    rgba = np.concatenate([np.clip(drawn.colours * shade, 0, 1), drawn.alpha[..., None]], axis=2)
    posed = np.asarray(_warp(rgba, pose), dtype=np.float32) / np.float32(255)
    result = _skin(form, rng, tone)
    Layer(alpha=posed[..., 3], colour=np.ascontiguousarray(posed[..., :3])).over(result)
    _hairs(form, rng, result)
    _light(form, rng, result)
    result += np.float32(0.012) * rng.standard_normal((size, size, 1), dtype=np.float32)
    return np.asarray(np.clip(result * 255 + np.float32(0.5), 0, 255).astype(np.uint8))


def masks(shown: Photograph, size: int) -> dict[str, NDArray[np.bool_]]:
    """Return the mask of the lesion and of each present attribute in the photograph, [S, S] each."""
    pose = _pose(np.random.default_rng(shown.photo_seed), size)
    parts = lesion(shown, size).parts
    return {name: np.asarray(_warp(part, pose)) >= VISIBLE * 255 for name, part in parts.items()}


def _pose(rng: np.random.Generator, size: int) -> tuple[float, ...]:
    """Draw turn, mirror, zoom and shift, as the affine map from the picture's pixels to the lesion's."""
    turn, zoom = rng.uniform(0, 2 * np.pi), rng.uniform(0.9, 1.12)
    mirror = 1.0 if rng.random() < 0.5 else -1.0
    shift = rng.uniform(-0.05, 0.05, 2) * size
    c, s = float(np.cos(turn)) / zoom, float(np.sin(turn)) / zoom
    a, b, d, e = c * mirror, -s, s * mirror, c
    middle = size / 2
    x, y = middle + float(shift[0]), middle + float(shift[1])
    return a, b, middle - a * x - b * y, d, e, middle - d * x - e * y


def _warp(values: NDArray[np.float32], pose: tuple[float, ...]) -> Image.Image:
    image = Image.fromarray((values * 255 + np.float32(0.5)).astype(np.uint8))
    return image.transform(image.size, Image.Transform.AFFINE, pose, Image.Resampling.BILINEAR)


def _skin(form: Frame, rng: np.random.Generator, tone: NDArray[np.float32]) -> Picture:
    blush = np.float32(0.025) * noise(rng, form.size, 4)
    grain = np.float32(0.014) * noise(rng, form.size, 20) + np.float32(0.016) * noise(rng, form.size, 44)
    result = tone + grain[..., None] + blush[..., None] * np.array([0.5, 1.0, 1.0], dtype=np.float32)
    return np.asarray(result, dtype=np.float32)


def _hairs(form: Frame, rng: np.random.Generator, result: Picture) -> None:
    """Lay hairs over two photographs in five: gently bent, mostly one way."""
    count = int(rng.integers(2, 11)) if rng.random() < 0.4 else 0
    if not count:
        return
    way, lines = rng.uniform(0, 6.28), []
    for _ in range(count):
        angle, bend = way + rng.normal(0, 0.4), rng.normal(0, 10)
        x, y, reach = rng.uniform(-55, 55), rng.uniform(-55, 55), rng.uniform(18, 60)
        along, across = (float(np.cos(angle)), float(np.sin(angle))), (-float(np.sin(angle)), float(np.cos(angle)))
        line = [(t * reach, (1 - t * t) * bend) for t in np.linspace(-1, 1, 11).tolist()]
        lines.append([(x + u * along[0] + v * across[0], y + u * along[1] + v * across[1]) for u, v in line])
    dark = float(rng.uniform(0.10, 0.30))
    hair = strokes(form, lines, rng.uniform(0.5, 1.1, count).tolist())
    Layer(alpha=hair * np.float32(0.8), colour=(dark, dark * 0.8, dark * 0.65)).over(result)


def _light(form: Frame, rng: np.random.Generator, result: Picture) -> None:
    """Change exposure and white balance, darken the corners, and sometimes show the round field of view."""
    gain = rng.uniform(0.92, 1.06) * (1 + rng.normal(0, 0.018, 3))
    x, y = rng.uniform(-6, 6, 2).astype(np.float32)
    square = (form.x - x) ** 2 + (form.y - y) ** 2
    falloff = 1 - np.float32(rng.uniform(0.10, 0.30) / 64**2 / 2) * square
    if rng.random() < 0.3:
        falloff *= step(np.float32(rng.uniform(66, 78)) - np.sqrt(square), 2.0)
    result *= (np.clip(falloff, 0, 1)[..., None] * gain).astype(np.float32)
