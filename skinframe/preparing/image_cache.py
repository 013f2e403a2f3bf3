"""Keeps the image table of a run for the next run of the same process, so that a grid hashes images once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from skinframe.data.image_table import ImageTable, image_table
from skinframe.planning import Plan
from skinframe.progress import Display
from skinframe.sample import Sample


class ImageTableCache:
    """Holds the newest table. It serves plans with the same data options, rows and rules of reading, and no other.

    A table keeps the very bytes that it hashed, or compares what it reads again with the hash: however long it stands
    here, a run either gets the images that its record names or ends with an error.
    """

    def __init__(self) -> None:
        self._key: tuple[object, ...] = ()
        self._table: ImageTable | None = None

    def images(self, plan: Plan, samples: Sequence[Sample], display: Display) -> ImageTable:
        """Return the table of all images of a plan. Raises DataError where too many of them cannot be used."""
        dataset = plan.parts.dataset
        key = (type(dataset), asdict(plan.recipe.data), dataset.digest(), asdict(plan.recipe.images))
        if self._table is None or self._key != key or list(self._table.samples) != list(samples):
            self._table = None  # two tables at once would hold twice the memory
            self._table, self._key = _read(plan, samples, display), key
        return self._table


def _read(plan: Plan, samples: Sequence[Sample], display: Display) -> ImageTable:
    limits = plan.recipe.images
    with display.task("images") as task:
        return image_table(
            plan.parts.dataset,
            samples,
            workers=limits.workers,
            patience=limits.patience,
            policy=limits.policy,
            max_fraction=limits.max_fraction,
            max_pixels=limits.max_pixels,
            max_bytes=limits.max_bytes,
            draft=limits.draft,
            progress=lambda done: task.update(done, len(samples)),
        )
