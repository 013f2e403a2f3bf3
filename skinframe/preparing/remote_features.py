"""Features that other processes compute: what such a process is told, and what it does with a plan of its own."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from skinframe.components import Tower
from skinframe.data.image_table import ImageReader
from skinframe.device import deterministic
from skinframe.errors import Problem, RecipeError
from skinframe.features.extract import Elsewhere, Row, extract_shard
from skinframe.planning import Plan
from skinframe.preparing.prepared_data import Prepared, encoders


class Wanted(NamedTuple):
    """A row to compute: its key, the place of its image in the data set, the SHA-256 of the image's bytes, the view."""

    key: str
    place: int
    content: str
    view: int


class Spread(Protocol):
    """An engine for shards of features; each is named by its content and may be made twice without harm."""

    def __call__(
        self, encoder: str, fingerprint: str, cache: Path, shards: Sequence[Sequence[Wanted]]
    ) -> Generator[int]:
        """Have each shard written into the cache by a `Maker`, and yield its number when it stands.

        Closing it stops what still runs. Raises the errors of `skinframe.errors`.
        """
        ...


def elsewhere(prepared: Prepared, name: str, cache: Path, spread: Spread) -> Elsewhere:
    """Return what extracts the features of one encoder of a run through `spread`."""

    def wanted(row: Row) -> Wanted:
        key, sample, view = row
        return Wanted(key, prepared.places[sample], prepared.keys[sample], view)

    fingerprint = prepared.plan.fingerprint
    return lambda shards: spread(name, fingerprint, cache, [[wanted(row) for row in shard] for shard in shards])


class Maker:
    """Makes shards of one encoder's features in a process that has the plan and the data, and writes no other file."""

    def __init__(self, plan: Plan, name: str, fingerprint: str, cache: Path, device: str) -> None:
        """Raises RecipeError where the plan here is not the one of the process that asks."""
        if plan.fingerprint != fingerprint:
            what = "is another one in the process that extracts; give all the same versions, weights and data"
            raise RecipeError(plan.source, [Problem("plan", what)])
        self.plan, self.encoder = plan, encoders(plan)[name]
        limits, dataset = plan.recipe.images, plan.parts.dataset
        self.reading = ImageReader(dataset, False, False, limits.max_pixels, limits.max_bytes, limits.draft)
        self.samples = list(dataset.samples())
        self.cache, self.device = cache, device
        self._tower: Tower | None = None

    def make(self, shard: Sequence[Wanted]) -> None:
        """Compute and write one shard. Raises DataError, DiskError, NonFiniteError, RecipeError."""
        content = {row.place: row.content for row in shard}
        with deterministic(self.plan.recipe.train.deterministic, self.plan.source):
            extract_shard(
                self.encoder,
                [(row.key, row.place, row.view) for row in shard],
                lambda place: self.reading.image(self.samples[place], content[place]),
                root=self.cache,
                tower=self._loaded,
                describe=lambda place: f"sample {self.samples[place].id}",
            )

    def _loaded(self) -> Tower:
        if self._tower is None:
            self._tower = self.encoder.load(self.device)
        return self._tower
