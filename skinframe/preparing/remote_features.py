"""Feature extraction in other processes: what a worker is sent, and what it runs."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from skinframe.components import Tower
from skinframe.data.image_table import ImageReader
from skinframe.device import deterministic
from skinframe.errors import Problem, RecipeError
from skinframe.features.feature_extraction import RemoteExtraction, ViewRow, extract_shard
from skinframe.planning import Plan
from skinframe.preparing.prepared_data import Prepared


class WantedRow(NamedTuple):
    """A row to compute: its key, the index of its image in the data set, the SHA-256 of the image bytes, the view."""

    key: str
    position: int
    content: str
    view: int


class ShardEngine(Protocol):
    """Runs shards of feature extraction elsewhere, e.g. on Ray; a shard may be written twice without harm."""

    def __call__(
        self, encoder: str, fingerprint: str, cache: Path, shards: Sequence[Sequence[WantedRow]]
    ) -> Generator[int]:
        """Write each shard into the cache with a `ShardWorker`, and yield its number when it is complete.

        Closing the generator stops what still runs. Raises the errors of `skinframe.errors`.
        """
        ...


def remote_extraction(prepared: Prepared, name: str, cache: Path, engine: ShardEngine) -> RemoteExtraction:
    """Return the function that extracts the features of one encoder of a run through `engine`."""

    def wanted(row: ViewRow) -> WantedRow:
        key, sample, view = row
        return WantedRow(key, prepared.places[sample], prepared.keys[sample], view)

    fingerprint = prepared.plan.fingerprint
    return lambda shards: engine(name, fingerprint, cache, [[wanted(row) for row in shard] for shard in shards])


class ShardWorker:
    """Writes shards of one encoder's features in a process that has the plan and the data; writes no other file."""

    def __init__(self, plan: Plan, name: str, fingerprint: str, cache: Path, device: str) -> None:
        """Raises RecipeError if the plan here differs from that of the requesting process."""
        if plan.fingerprint != fingerprint:
            what = "differs in the worker; use the same versions, weights and data on all nodes"
            raise RecipeError(plan.source, [Problem("plan", what)])
        self.plan, self.encoder = plan, plan.encoders[name]
        limits, dataset = plan.recipe.images, plan.parts.dataset
        self.reader = ImageReader(dataset, False, False, limits.max_pixels, limits.max_bytes, limits.draft)
        self.samples = list(dataset.samples())
        self.cache, self.device = cache, device
        self._tower: Tower | None = None

    def make(self, shard: Sequence[WantedRow]) -> None:
        """Compute and write one shard. Raises DataError, DiskError, NonFiniteError, RecipeError."""
        content = {row.position: row.content for row in shard}
        with deterministic(self.plan.recipe.train.deterministic, self.plan.source):
            extract_shard(
                self.encoder,
                [(row.key, row.position, row.view) for row in shard],
                lambda place: self.reader.image(self.samples[place], content[place]),
                root=self.cache,
                tower=self._loaded,
                describe=lambda place: f"sample {self.samples[place].id}",
            )

    def _loaded(self) -> Tower:
        if self._tower is None:
            self._tower = self.encoder.load(self.device)
        return self._tower
