"""Computes features that the cache does not have yet, in the same shards after any interruption."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skinframe.atomic_write import free_bytes
from skinframe.errors import DiskError, NonFiniteError, Problem, RecipeError
from skinframe.features.shard_format import ROWS, planned_bytes
from skinframe.features.shard_store import Store, exclusive

if TYPE_CHECKING:
    from torch import Tensor

Encode = Callable[[Sequence[str]], Mapping[str, "Tensor"]]
Progress = Callable[[int, int], None]
WriteRemotely = Callable[[Sequence[Sequence[str]]], Generator[int]]  # keys by shard -> index of each written shard


def compute_missing(
    store: Store,
    keys: Sequence[str],
    encode: Encode,
    *,
    batch: int,
    describe: Callable[[str], str],
    progress: Progress | None = None,
    remote: WriteRemotely | None = None,
) -> None:
    """Compute the rows of `keys` that the store does not have, in this process or through `remote` in others.

    Missing rows are taken in the order of `keys`, 256 per shard, `batch` per call of `encode` (keys -> signals
    [B, ...]). Shards are written atomically, so after an interruption the first missing row starts a new shard and each
    batch has the same rows: the values are bitwise those of an uninterrupted extraction.

    Raises DiskError before the first call if the rows will not fit on the disk, NonFiniteError naming the row by
    `describe`.
    """
    report = progress or (lambda done, total: None)
    store.scan()
    if not all(key in store.places for key in keys):
        with exclusive(store.root):
            store.scan()  # another process may have written them during the wait
            store.clean()
            missing = [key for key in keys if key not in store.places]
            _check_disk_space(store, len(missing))
            shards, done = _slices(missing, ROWS), len(keys) - len(missing)
            report(done, len(keys))

            def write_locally(shards: Sequence[Sequence[str]]) -> Generator[int]:
                for number, shard in enumerate(shards):
                    write_rows(store, shard, encode, batch, describe, lambda rows: report(done + rows, len(keys)))
                    yield number

            with closing(
                (remote or write_locally)(shards)
            ) as written:  # no worker keeps writing after the lock is released
                for number in written:
                    store.adopt(shards[number])
                    done += len(shards[number])
                    report(done, len(keys))
    report(len(keys), len(keys))


def write_rows(
    store: Store,
    keys: Sequence[str],
    encode: Encode,
    batch: int,
    describe: Callable[[str], str],
    progress: Callable[[int], None] = lambda done: None,
) -> None:
    """Compute and write the rows of one shard. The caller holds the lock. Raises as `compute_missing` does."""
    rows: list[dict[str, NDArray[Any]]] = []
    for chunk in _slices(keys, batch):
        progress(len(rows) * batch)
        rows.append(_checked(store, chunk, encode(chunk), describe))
    store.add(keys, {name: np.concatenate([part[name] for part in rows]) for name in store.shapes})


def _slices(keys: Sequence[str], size: int) -> list[Sequence[str]]:
    return [keys[start : start + size] for start in range(0, len(keys), size)]


def _checked(
    store: Store, keys: Sequence[str], signals: Mapping[str, Tensor], describe: Callable[[str], str]
) -> dict[str, NDArray[Any]]:
    """Return the rows as stored. Raises if the shapes are not those declared or a value is not finite."""
    stored = {}
    for name, shape in store.shapes.items():
        if name not in signals or tuple(signals[name].shape) != (len(keys), *shape):
            actual = tuple(signals[name].shape) if name in signals else "nothing"
            what = f"the encoder declares {(len(keys), *shape)} but returned {actual}"
            raise RecipeError("features", [Problem(name, what)])
        with np.errstate(over="ignore"):
            value = signals[name].detach().cpu().float().numpy().astype(store.dtype)
        bad = np.flatnonzero(~np.isfinite(value).reshape(len(keys), math.prod(shape)).all(axis=1))
        if bad.size:
            raise NonFiniteError(f"features: {name} of {describe(keys[bad[0]])} is not finite in {store.dtype}")
        stored[name] = value
    return stored


def _check_disk_space(store: Store, rows: int) -> None:
    need = planned_bytes(store.shapes, rows, 1, store.dtype)
    free = free_bytes(store.root)
    if need > free:
        figures = f"needs {need / 1e9:.2f} GB for {rows} rows and {free / 1e9:.2f} GB is free"
        todo = "free some space, choose another cache folder, or store fewer views or a coarser token grid"
        raise DiskError(f"{store.root}: the feature cache {figures}; {todo}")
