"""The shards of one encoder on disk: look-up, adding, removing, verification, and the writer lock."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray

from skinframe import locks
from skinframe.atomic_write import read_checked, write_checked
from skinframe.components import Shape
from skinframe.errors import DiskError
from skinframe.features.shard_format import (
    DATA,
    INDEX,
    SCHEMA,
    DamagedError,
    DType,
    Shard,
    index_of,
    read_index,
    space_key,
    write_shard,
)
from skinframe.untrusted_files import UnreadableError, read_object

log = logging.getLogger("skinframe")
ABOUT = "about.json"
LOCK_NAME = "features.lock"
ShardState = Literal["whole", "damaged", "leftover", "added"]


@dataclass(frozen=True)
class RowLocation:
    """The shard of a row and its position there."""

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
        self.places: dict[str, RowLocation] = {}
        self.damaged: dict[Path, str] = {}

    def scan(self) -> None:
        """Read every index again; rows of a damaged shard count as missing, which is logged."""
        self.places.clear()
        before, self.damaged = self.damaged, {}
        for index in sorted(self.folder.glob(f"*{INDEX}")):
            if index.name == ABOUT:
                continue
            try:
                shard = read_index(index)
                damage = shard.damage() or self._mismatch(shard)
            except DamagedError as error:
                damage = str(error)
            if damage is None:
                self._place(shard)
                continue
            self.damaged[index] = damage
            if index not in before:
                log.warning("%s: damaged (%s); its rows will be recomputed", index.with_suffix(DATA), damage)

    def clean(self) -> None:
        """Remove damaged shards and files left by an interrupted write. The caller holds the lock."""
        for index in self.damaged:
            index.unlink(missing_ok=True)
            index.with_suffix(DATA).unlink(missing_ok=True)
        self.damaged = {}
        for leftover in leftovers(self.folder):
            leftover.unlink(missing_ok=True)

    def add(self, keys: Sequence[str], tensors: Mapping[str, NDArray[Any]]) -> None:
        """Write one shard. Raises DiskError; earlier shards are kept."""
        about = self.folder / ABOUT
        if not about.exists():
            shapes = {name: list(shape) for name, shape in self.shapes.items()}
            about_space = {"encoder": self.encoder, "dtype": self.dtype, "shapes": shapes, "schema": SCHEMA}
            write_checked(about, about_space)
        self._place(write_shard(self.folder, keys, tensors))

    def adopt(self, keys: Sequence[str]) -> None:
        """Register the shard of these keys that another process wrote. Raises DiskError if it is not valid here."""
        if keys[0] in self.places:
            return
        index = index_of(self.folder, keys)
        try:
            shard = read_index(index)
            damage = shard.damage() or self._mismatch(shard)
        except DamagedError as error:
            damage = str(error)
        if damage is not None:
            what = "does not match what the worker wrote; check that all nodes share this path"
            raise DiskError(f"{index.with_suffix(DATA)}: {what} ({damage})")
        self._place(shard)

    def drop(self, shard: Shard, why: str) -> None:
        """Remove a shard that failed while it was read, index first. The caller holds the lock."""
        log.warning("%s: damaged (%s); its rows are being recomputed", shard.path, why)
        shard.path.with_suffix(INDEX).unlink(missing_ok=True)
        shard.path.unlink(missing_ok=True)
        for key in shard.keys:
            if key in self.places and self.places[key].shard.path == shard.path:
                del self.places[key]

    def _place(self, shard: Shard) -> None:
        for row, key in enumerate(shard.keys):
            self.places.setdefault(key, RowLocation(shard, row))

    def _mismatch(self, shard: Shard) -> str | None:
        if shard.dtype != self.dtype or shard.shapes != self.shapes:
            return f"holds {shard.dtype} {dict(shard.shapes)}; expected {self.dtype} {self.shapes}"
        return None


def leftovers(folder: Path) -> list[Path]:
    """Return temporary files and data files without an index, as a killed writer leaves them."""
    temporary = list(folder.glob(".*.tmp-*"))
    orphans = [data for data in folder.glob(f"*{DATA}") if not data.with_suffix(INDEX).exists()]
    return sorted(temporary + orphans)


def exclusive(root: Path) -> AbstractContextManager[None]:
    """Hold the cache for writing; waits for another writer, which may write the rows wanted here.

    Raises BusyError for the lease of another host, DiskError.
    """
    return locks.exclusive(root, LOCK_NAME, wait=True)


@dataclass(frozen=True)
class ShardCheck:
    """The state of one shard, or of one file that a killed writer left; `what` is the reason."""

    path: Path
    state: ShardState
    rows: int = 0
    what: str = ""


def verify(root: Path) -> list[ShardCheck]:
    """Check every byte of every entry against its SHA-256. Read-only; a damaged entry is replaced when it is used."""
    checks = [_checked(path) for path in (*sorted(root.glob("near-*.json")), *sorted(root.glob(f"*/{ABOUT}")))]
    for folder in sorted(path for path in root.glob("*") if path.is_dir()):
        for index in sorted(folder.glob(f"*{INDEX}")):
            if index.name != ABOUT:
                checks.append(_check(index))
        checks += [ShardCheck(path, "leftover", what="left by an interrupted write") for path in leftovers(folder)]
    return checks


def _checked(path: Path) -> ShardCheck:
    try:
        read_checked(path)
    except UnreadableError as error:
        if path.name == ABOUT and "sha256" not in _keys(path):
            return ShardCheck(path, "leftover", what="without a checksum, as earlier versions wrote it; not read")
        return ShardCheck(path, "damaged", what=error.reason)
    return ShardCheck(path, "whole")


def _keys(path: Path) -> Collection[str]:
    try:
        return read_object(path).keys()
    except UnreadableError:
        return ("sha256",)


def _check(index: Path) -> ShardCheck:
    try:
        shard = read_index(index)
    except DamagedError as error:
        return ShardCheck(index, "damaged", what=str(error))
    damage = shard.damage(deep=True)
    return ShardCheck(shard.path, "whole" if damage is None else "damaged", len(shard.keys), damage or "")
