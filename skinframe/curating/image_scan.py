"""Decodes every image of a set once, in worker processes, and keeps what the searches need, without pixels."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from skinframe.components import Dataset
from skinframe.data.images import MAX_BYTES, MAX_PIXELS, ImageProblem, decode
from skinframe.data.worker_pool import chunked_map
from skinframe.errors import DataError
from skinframe.preparing.image_descriptor import GRID, grey_grid
from skinframe.sample import Sample


@dataclass(frozen=True)
class Look:
    """What one image shows: digests of its bytes and of its pixels, its grey grid, its sizes."""

    key: str
    pixels: str
    grid: NDArray[np.uint8]
    width: int
    height: int
    bytes: int


@dataclass(frozen=True)
class Looker:
    """Reads one image; the reason, as text, where it cannot be used."""

    dataset: Dataset
    max_pixels: int = MAX_PIXELS
    max_bytes: int = MAX_BYTES

    def __call__(self, sample: Sample) -> Look | str:
        try:
            data = self.dataset.image_bytes(sample)
            image = decode(data, max_pixels=self.max_pixels, max_bytes=self.max_bytes)
        except ImageProblem as problem:
            return problem.reason
        except (DataError, OSError) as error:
            return " ".join(str(error).split()).replace(sample.image, "its file")
        pixels = hashlib.sha256(repr(image.size).encode() + image.tobytes()).hexdigest()
        key = hashlib.sha256(data).hexdigest()
        return Look(key, pixels, grey_grid(image), image.width, image.height, len(data))


@dataclass(frozen=True)
class Scan:
    """The looks of a set, in the order of its samples; None where an image cannot be used, with (id, reason) listed."""

    looks: Sequence[Look | None]
    unusable: Sequence[tuple[str, str]] = field(default=())

    @property
    def keys(self) -> list[str | None]:
        """Return the digest of the decoded pixels of each image."""
        return [look.pixels if look is not None else None for look in self.looks]

    @property
    def files(self) -> list[str | None]:
        """Return the digest of the encoded bytes of each image."""
        return [look.key if look is not None else None for look in self.looks]

    def rows(self) -> list[int]:
        return [row for row, look in enumerate(self.looks) if look is not None]

    def grids(self, rows: Sequence[int]) -> NDArray[np.uint8]:
        grids = [look.grid for row in rows if (look := self.looks[row]) is not None]
        return np.stack(grids) if grids else np.zeros((0, GRID, GRID), dtype=np.uint8)

    def sizes(self) -> dict[str, list[float]]:
        """Return bytes, width and height of each image, -1 where it is not there."""
        return {
            name: [float(getattr(look, name)) if look is not None else -1.0 for look in self.looks]
            for name in ("bytes", "width", "height")
        }


def scan(
    dataset: Dataset,
    samples: Sequence[Sample],
    *,
    workers: int = 2,
    progress: Callable[[int], None] | None = None,
    max_pixels: int = MAX_PIXELS,
    max_bytes: int = MAX_BYTES,
) -> Scan:
    """Return a look at every image."""
    looks: list[Look | None] = []
    unusable = []
    remedy = "read with --workers 1, which waits as long as it takes"
    found_all = chunked_map(
        Looker(dataset, max_pixels, max_bytes), samples, workers=workers, carries=dataset, remedy=remedy
    )
    for row, look in enumerate(found_all):
        if isinstance(look, str):
            unusable.append((samples[row].id, look))
        looks.append(None if isinstance(look, str) else look)
        if progress is not None:
            progress(row + 1)
    return Scan(looks, unusable)
