"""The rows of one encoder on disk: which key stands in which shard, and what to do with a shard that broke."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from skinframe.components import Shape
from skinframe.durable import write_json
from skinframe.errors import DiskError
from skinframe.features.keys import SCHEMA, DType, space_key
from skinframe.features.shard import DATA, INDEX, DamagedError, Shard, index_of, read_index, write_shard

log = logging.getLogger("skinframe")
ABOUT = "about.json"


@dataclass(frozen=True)
class Place:
    """Where a row stands."""

    shard: Shard
    row: int


class Store:
    """A folder of shards. Reading needs no lock, because an index appears only after its data; writing needs one."""

    def __init__(self, root: Path, kind: str, encoder: str, dtype: DType, shapes: Mapping[str, Shape]) -> None:
        self.root = root
        self.folder = root / space_key(kind, encoder, dtype)
        self.encoder = encoder
        self.dtype: DType = dtype
        self.shapes = {name: tuple(shape) for name, shape in shapes.items()}
        self.places: dict[str, Place] = {}
        self.damaged: dict[Path, str] = {}

    def scan(self) -> None:
        """Read every index anew; a damaged shard's rows count as missing, and the event is logged."""
        self.places.clear()
        before, self.damaged = self.damaged, {}
        for index in sorted(self.folder.glob(f"*{INDEX}")):
            if index.name == ABOUT:
                continue
            try:
                shard = read_index(index)
                flaw = shard.flaw() or self._mismatch(shard)
            except DamagedError as error:
                flaw = str(error)
            if flaw is None:
                self._place(shard)
                continue
            self.damaged[index] = flaw
            if index not in before:
                log.warning("%s: damaged (%s); its rows will be computed again", index.with_suffix(DATA), flaw)

    def clean(self) -> None:
        """Remove damaged shards and what an interrupted write left. The caller holds the lock."""
        for index in self.damaged:
            index.unlink(missing_ok=True)
            index.with_suffix(DATA).unlink(missing_ok=True)
        self.damaged = {}
        for leftover in leftovers(self.folder):
            leftover.unlink(missing_ok=True)

    def add(self, keys: Sequence[str], tensors: Mapping[str, NDArray[Any]]) -> None:
        """Write one shard. Raises DiskError; the shards before it stay."""
        about = self.folder / ABOUT
        if not about.exists():
            shapes = {name: list(shape) for name, shape in self.shapes.items()}
            write_json(about, {"encoder": self.encoder, "dtype": self.dtype, "shapes": shapes, "schema": SCHEMA})
        self._place(write_shard(self.folder, keys, tensors))

    def adopt(self, keys: Sequence[str]) -> None:
        """Take up the shard of these keys, whoever wrote it. Raises DiskError where it does not stand here."""
        if keys[0] in self.places:
            return
        index = index_of(self.folder, keys)
        try:
            shard = read_index(index)
            flaw = shard.flaw() or self._mismatch(shard)
        except DamagedError as error:
            flaw = str(error)
        if flaw is not None:
            what = "is not as its worker wrote it; every node must see the same cache under this path"
            raise DiskError(f"{index.with_suffix(DATA)}: {what} ({flaw})")
        self._place(shard)

    def drop(self, shard: Shard, why: str) -> None:
        """Forget a shard that failed while it was read, index first. The caller holds the lock."""
        log.warning("%s: damaged (%s); its rows are computed again", shard.path, why)
        shard.path.with_suffix(INDEX).unlink(missing_ok=True)
        shard.path.unlink(missing_ok=True)
        for key in shard.keys:
            if key in self.places and self.places[key].shard.path == shard.path:
                del self.places[key]

    def _place(self, shard: Shard) -> None:
        for row, key in enumerate(shard.keys):
            self.places.setdefault(key, Place(shard, row))

    def _mismatch(self, shard: Shard) -> str | None:
        if shard.dtype != self.dtype or shard.shapes != self.shapes:
            return f"holds {shard.dtype} {dict(shard.shapes)} where {self.dtype} {self.shapes} is promised"
        return None


def leftovers(folder: Path) -> list[Path]:
    """Return temporary files and data files without an index: what a killed writer leaves."""
    temporary = list(folder.glob(".*.tmp-*"))
    orphans = [data for data in folder.glob(f"*{DATA}") if not data.with_suffix(INDEX).exists()]
    return sorted(temporary + orphans)
