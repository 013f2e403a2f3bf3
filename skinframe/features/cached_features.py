"""Cached features of a frozen encoder, read by sample and view instead of running the encoder."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skinframe.components import Shape
from skinframe.errors import DiskError
from skinframe.features.shard_format import DamagedError, Shard, hashed
from skinframe.features.shard_store import Store, exclusive
from skinframe.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

Refill = Callable[[Sequence[str]], None]


class Features:
    """Signals of n samples in some views, read from shards by content key.

    A row's CRC32 is checked when this object first reads it. If it fails, this is logged and the rows of its shard are
    recomputed at once through `refill`, the only case in which a read runs the encoder.
    """

    def __init__(self, store: Store, keys: Sequence[str], views: int, refill: Refill) -> None:
        self._store = store
        self._keys = keys  # [n * views], sample by sample
        self._refill = refill
        self._checked: set[str] = set()
        self.views = views

    def __len__(self) -> int:
        return len(self._keys) // self.views

    @property
    def shapes(self) -> Mapping[str, Shape]:
        """Shapes without the batch dim, by signal."""
        return self._store.shapes

    @property
    def digest(self) -> str:
        """Hex digest of every key and the checksums of its values: equal if and only if the features are."""
        places = [(key, self._store.places[key]) for key in self._keys]
        names = sorted(self.shapes)
        return hashed(*(f"{key}:{[place.shard.crcs[name][place.row] for name in names]}" for key, place in places))

    def get(self, rows: Sequence[int], views: Sequence[int], signals: Sequence[str] | None = None) -> dict[str, Tensor]:
        """Return signals [B, ...], float32 on the CPU, of sample `rows[b]` in view `views[b]`.

        `signals` limits what is read, e.g. to the pooled vector without the tokens. Raises IndexError for a row or view
        that was not extracted.
        """
        keys = [self._key(row, view) for row, view in zip(rows, views, strict=True)]
        names = tuple(self.shapes) if signals is None else tuple(signals)
        out = {name: np.empty((len(keys), *self.shapes[name]), dtype=self._store.dtype) for name in names}
        self._read(keys, out)
        return {name: torch.from_numpy(value).float() for name, value in out.items()}

    def close(self) -> None:
        """Free memory; no file stays open between two reads."""
        self._checked.clear()

    def _key(self, row: int, view: int) -> str:
        if not (0 <= row < len(self) and 0 <= view < self.views):
            raise IndexError(f"row {row}, view {view} was not extracted: {len(self)} samples in {self.views} views")
        return self._keys[row * self.views + view]

    def _read(self, keys: Sequence[str], out: Mapping[str, NDArray[Any]]) -> None:
        """Read by shard, so that each file is opened once per batch; a damaged shard is repaired, then read again."""
        by_shard: dict[str, list[int]] = defaultdict(list)
        for position, key in enumerate(keys):
            by_shard[str(self._store.places[key].shard.path)].append(position)
        for positions in by_shard.values():
            shard = self._store.places[keys[positions[0]]].shard
            wanted = [(position, keys[position]) for position in positions]
            try:
                self._read_shard(shard, wanted, out)
            except (DamagedError, FileNotFoundError) as error:
                self._repair(shard, str(error))
                self._read_again(wanted, out)

    def _read_again(self, wanted: Sequence[tuple[int, str]], out: Mapping[str, NDArray[Any]]) -> None:
        for position, key in wanted:
            shard = self._store.places[key].shard
            try:
                self._read_shard(shard, [(position, key)], out)
            except (DamagedError, FileNotFoundError) as error:
                raise DiskError(f"{shard.path}: damaged again immediately after it was written ({error})") from error

    def _read_shard(self, shard: Shard, wanted: Sequence[tuple[int, str]], out: Mapping[str, NDArray[Any]]) -> None:
        handle = os.open(shard.path, os.O_RDONLY)
        try:
            for position, key in wanted:
                row = self._store.places[key].row
                for name, values in out.items():
                    mark = f"{name}:{key}"
                    values[position] = shard.read(handle, name, row, check=mark not in self._checked)
                    self._checked.add(mark)
        finally:
            os.close(handle)

    def _repair(self, shard: Shard, why: str) -> None:
        """Drop the shard and recompute those of its rows that belong to this run, in the order of the shard."""
        mine = set(self._keys)
        with exclusive(self._store.root):
            self._store.scan()  # another process may have repaired it already
            now = self._store.places.get(shard.keys[0])
            if now is not None and now.shard.damage(deep=True) is not None:
                self._store.drop(now.shard, why)
        self._refill([key for key in shard.keys if key in mine])
        self._checked -= {f"{name}:{key}" for name in self.shapes for key in shard.keys}
