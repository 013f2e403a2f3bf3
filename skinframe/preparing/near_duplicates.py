"""Near-duplicate search: all pairs in eight views and eleven crops; candidates are aligned and verified.

Stage 1 multiplies short descriptors (all pairs, BLAS); stage 2 (`align`) takes each candidate, lays one picture on the
other and compares first shapes, then skin: many lesions are a dark blob in the middle, but no two share their texture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skinframe.preparing.image_alignment import best_window, texture
from skinframe.preparing.image_descriptor import TURNS, Floats, Window, describe, turned, turned_grid

CANDIDATE = 0.93  # stage 1, a cosine: about 3 in 10,000 pairs of strangers on HAM10000
SHAPE = 0.95  # stage 2, a cosine of low frequencies
TEXTURE = 0.65  # stage 2, a correlation of locally normalised grey; docs/benchmarks/duplicates_and_data.md
REVIEW = 0.5  # likely enough for a person to look at
SIZE, POWER = 10, 0.7
CUT = 0.05
WINDOWS: tuple[tuple[Window, Window], ...] = (
    *((y, x) for y in ((0.0, 0.0), (CUT, 0.0), (0.0, CUT)) for x in ((0.0, 0.0), (CUT, 0.0), (0.0, CUT))),
    ((CUT / 2, CUT / 2), (CUT / 2, CUT / 2)),
    ((CUT, CUT), (CUT, CUT)),
)
BLOCK = 512
METHOD = f"dct {SIZE} {POWER} {CANDIDATE} {SHAPE} {TEXTURE} v1"  # enters the key of a cached search
Pairs = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Near:
    """Two pictures of which one is a copy of (a part of) the other: `second`, seen in `view`, lies on `first`."""

    first: int
    second: int
    view: int
    score: float  # of texture, in [-1, 1]


def near_pairs(
    grids: NDArray[np.uint8],
    others: NDArray[np.uint8] | None = None,
    *,
    known: NDArray[np.int64] | None = None,
    candidate: float = CANDIDATE,
    shape: float = SHAPE,
    least: float = TEXTURE,
    progress: Callable[[int], None] | None = None,
) -> list[Near]:
    """Return copies within a set, or between two sets where `others` is given; best first.

    `known` holds a component number a picture: pairs that are linked anyway are not looked for. Grids are
    [N, 64, 64]. Time grows with the square: 10,000 pictures take about a minute of one core. `progress` gets the number
    of pictures compared.
    """
    if others is None:
        candidates = _searched(grids, grids, known, (candidate, shape, least), progress)
        best: dict[tuple[int, int], Near] = {}
        for near in candidates:
            pair = (min(near.first, near.second), max(near.first, near.second))
            if pair not in best or near.score > best[pair].score:
                best[pair] = near
        return sorted(best.values(), key=lambda near: (-near.score, near.first, near.second))
    best = {(near.first, near.second): near for near in _searched(grids, others, None, (candidate, shape, least))}
    for near in _searched(others, grids, None, (candidate, shape, least)):
        pair = (near.second, near.first)
        if pair not in best or near.score > best[pair].score:
            best[pair] = Near(first=pair[0], second=pair[1], view=INVERSE[near.view], score=near.score)
    return sorted(best.values(), key=lambda near: (-near.score, near.first, near.second))


INVERSE = (0, 1, 2, 3, 5, 4, 6, 7)  # the two quarter turns undo each other; every other view undoes itself


def _searched(
    windows: NDArray[np.uint8],
    wholes: NDArray[np.uint8],
    known: NDArray[np.int64] | None,
    least: tuple[float, float, float],
    progress: Callable[[int], None] | None = None,
) -> Iterator[Near]:
    for first, second, view in _candidates(windows, wholes, known, least[0], progress):
        other = turned_grid(wholes[second], view)
        shape, window = best_window(windows[first], other)
        if shape >= least[1]:
            score = texture(windows[first], other, window)
            if score >= least[2]:
                yield Near(first=first, second=second, view=view, score=score)


def _candidates(
    windows: NDArray[np.uint8],
    wholes: NDArray[np.uint8],
    known: NDArray[np.int64] | None,
    candidate: float,
    progress: Callable[[int], None] | None,
) -> Iterator[tuple[int, int, int]]:
    upright = describe(wholes, SIZE, POWER)
    views = [turned(upright, view, SIZE) for view in range(len(TURNS))]
    for start in range(0, len(windows), BLOCK):
        block = [describe(windows[start : start + BLOCK], SIZE, POWER, y, x) for y, x in WINDOWS]
        best = _best(block, views)
        rows, columns = np.nonzero(best >= candidate)
        if windows is wholes:
            kept = rows + start != columns
            if known is not None:
                kept &= known[rows + start] != known[columns]
            rows, columns = rows[kept], columns[kept]
        for row, column, view in zip(rows, columns, _turn(block, views, rows, columns), strict=True):
            yield int(row) + start, int(column), int(view)
        if progress is not None:
            progress(min(start + BLOCK, len(windows)))


def _best(block: list[Floats], views: list[Floats]) -> Floats:
    """Return the largest cosine over windows and views [rows, N]."""
    best = np.full((len(block[0]), len(views[0])), -1, dtype=np.float32)
    product_of = np.empty_like(best)
    for window in block:
        for view in views:
            np.matmul(window, view.T, out=product_of)
            np.maximum(best, product_of, out=best)
    return best


def _turn(block: list[Floats], views: list[Floats], rows: Pairs, columns: Pairs) -> NDArray[np.int64]:
    """Return which view each candidate pair was closest in."""
    score = np.full((len(views), len(rows)), -1, dtype=np.float32)
    for number, view in enumerate(views):
        whole = view[columns]
        for window in block:
            np.maximum(score[number], np.einsum("nd,nd->n", window[rows], whole), out=score[number])
    return np.asarray(score.argmax(0), dtype=np.int64)
