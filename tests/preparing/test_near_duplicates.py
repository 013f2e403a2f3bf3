"""Copies are found however they were turned, mirrored, resized, re-encoded or cropped; strangers are not."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from skinframe.data.images import decode
from skinframe.features.dihedral_views import dihedral
from skinframe.preparing.image_alignment import best_window, texture
from skinframe.preparing.image_descriptor import TURNS, describe, grey_grid, turned, turned_grid
from skinframe.preparing.near_duplicates import INVERSE, SIZE, near_pairs

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "ham10000" / "images_200x150"
Picture = Image.Image


def skin(seed: int, width: int = 200, height: int = 150) -> Picture:
    """Draw a blob on textured ground: smooth noise of several scales, another one for each seed."""
    random = np.random.default_rng(seed)
    canvas = np.zeros((height, width))
    for cells in (4, 12, 36):
        noise = Image.fromarray(random.normal(size=(cells, cells)).astype(np.float32))
        canvas += np.asarray(noise.resize((width, height), Image.Resampling.BICUBIC)) * 40 / np.sqrt(cells)
    y, x = np.mgrid[:height, :width]
    blob = np.exp(-(((y - height / 2) / 40) ** 2 + ((x - width / 2) / 50) ** 2))
    grey = np.clip(190 - 90 * blob + canvas, 30, 255).astype(np.uint8)
    return Image.fromarray(np.stack([grey, grey // 2 + 60, grey // 2 + 50], axis=-1))


def jpeg(image: Picture, quality: int = 60) -> Picture:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return decode(buffer.getvalue())


def cut(image: Picture, left: float, top: float, right: float, bottom: float) -> Picture:
    width, height = image.size
    return image.crop(
        (round(left * width), round(top * height), round(width - right * width), round(height * (1 - bottom)))
    )


COPIES: dict[str, Callable[[Picture], Picture]] = {
    "re-encoded": lambda image: jpeg(image, 40),
    "half size": lambda image: jpeg(image.resize((image.width // 2, image.height // 2), Image.Resampling.BICUBIC)),
    "quarter turn": lambda image: jpeg(dihedral(image, 4)),
    "mirrored": lambda image: jpeg(dihedral(image, 1)),
    "cropped 5 % at every edge": lambda image: jpeg(cut(image, 0.05, 0.05, 0.05, 0.05)),
    "cropped at one corner and turned": lambda image: jpeg(dihedral(cut(image, 0.05, 0.03, 0.0, 0.02), 5)),
}


def test_views_of_grids_and_descriptors_are_those_of_the_pictures() -> None:
    image = skin(1, 64, 64)
    grid = grey_grid(image)
    upright = describe(grid[None], SIZE, 0.7)
    for view in range(len(TURNS)):
        seen = grey_grid(dihedral(image, view))
        assert np.array_equal(turned_grid(grid, view), seen)
        assert np.allclose(turned(upright, view, SIZE), describe(seen[None], SIZE, 0.7), atol=1e-4)
        assert np.array_equal(turned_grid(seen, INVERSE[view]), grid)


def test_a_flat_picture_is_nobody_s_copy() -> None:
    flat = np.full((2, 64, 64), 90, dtype=np.uint8)
    assert not describe(flat, SIZE, 0.7).any()
    assert near_pairs(flat) == []
    assert texture(flat[0], flat[1], best_window(flat[0], flat[1])[1]) == 0.0


@pytest.mark.parametrize("kind", COPIES)
def test_each_kind_of_copy_is_found_and_nothing_else(kind: str) -> None:
    images = [skin(seed) for seed in range(40)]
    copied = [COPIES[kind](image) for image in images[:8]]
    grids = np.stack([grey_grid(image) for image in (*images, *copied)])
    found = {(min(near.first, near.second), max(near.first, near.second)) for near in near_pairs(grids)}
    assert found == {(row, 40 + row) for row in range(8)}
    across = near_pairs(grids[:40], grids[40:])
    assert {(near.first, near.second) for near in across} == {(row, row) for row in range(8)}
    for near in across:  # `second`, seen in its view, lies on `first`
        first, second = grids[near.first], turned_grid(grids[40 + near.second], near.view)
        assert max(best_window(first, second)[0], best_window(second, first)[0]) > 0.95


def test_pairs_that_are_linked_anyway_are_not_looked_for() -> None:
    grids = np.stack([grey_grid(skin(3)), grey_grid(jpeg(skin(3))), grey_grid(skin(4))])
    assert len(near_pairs(grids)) == 1
    assert near_pairs(grids, known=np.array([7, 7, 8])) == []


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the real HAM10000 images do not lie beside the project")
def test_real_images_their_copies_and_the_known_duplicates() -> None:
    """Over all 10,015: tests/benchmarks/duplicate_recall.py."""
    files = sorted(SHARED.glob("*.jpg"))[::50]
    images = [decode(path.read_bytes()) for path in files]
    grids = np.stack([grey_grid(image) for image in images])
    assert near_pairs(grids) == []
    for make in COPIES.values():
        copies = np.stack([grey_grid(make(image)) for image in images[::5]])
        found = {(near.first, near.second) for near in near_pairs(grids, copies)}
        assert found == {(5 * row, row) for row in range(len(copies))}
    twins = [SHARED / f"ISIC_{name}.jpg" for name in ("0030074", "0025226", "0027027", "0029036")]
    known = np.stack([grey_grid(decode(path.read_bytes())) for path in twins])
    assert {(near.first, near.second) for near in near_pairs(known)} <= {(0, 1), (1, 0), (2, 3), (3, 2)}
    assert len(near_pairs(known)) == 2
