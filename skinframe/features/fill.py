"""Computing what a store lacks, in shards that do not depend on when it was interrupted."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skinframe.durable import free_bytes
from skinframe.errors import DiskError, NonFiniteError, Problem, RecipeError
from skinframe.features.keys import ROWS, planned_bytes
from skinframe.features.lock import exclusive
from skinframe.features.store import Store

if TYPE_CHECKING:
    from torch import Tensor

Encode = Callable[[Sequence[str]], Mapping[str, "Tensor"]]
Progress = Callable[[int, int], None]
Elsewhere = Callable[[Sequence[Sequence[str]]], Generator[int]]  # shards by key -> which was written, as each is


def fill(
    store: Store,
    keys: Sequence[str],
    encode: Encode,
    *,
    batch: int,
    describe: Callable[[str], str],
    progress: Progress | None = None,
    elsewhere: Elsewhere | None = None,
) -> None:
    """Compute the rows of `keys` that the store lacks, in this process or through `elsewhere` in others.

    Missing rows are taken in the order of `keys`, 256 a shard, `batch` a call of `encode` (keys -> signals [B, ...]).
    A shard stands whole or not at all, so after an interruption the first missing row opens a shard again and every
    batch holds the rows it would have held: the values are bitwise those of an uninterrupted extraction.

    Raises DiskError with figures before the first call when the rows will not fit, NonFiniteError naming the row as
    `describe` does.
    """
    tell = progress or (lambda done, total: None)
    store.scan()
    if not all(key in store.places for key in keys):
        with exclusive(store.root):
            store.scan()  # another process may have written them while this one waited
            store.clean()
            missing = [key for key in keys if key not in store.places]
            _preflight(store, len(missing))
            shards, done = _slices(missing, ROWS), len(keys) - len(missing)
            tell(done, len(keys))

            def here(shards: Sequence[Sequence[str]]) -> Generator[int]:
                for number, shard in enumerate(shards):
                    write_rows(store, shard, encode, batch, describe, lambda rows: tell(done + rows, len(keys)))
                    yield number

            with closing((elsewhere or here)(shards)) as written:  # no worker writes on when the lock is let go
                for number in written:
                    store.adopt(shards[number])
                    done += len(shards[number])
                    tell(done, len(keys))
    tell(len(keys), len(keys))


def write_rows(
    store: Store,
    keys: Sequence[str],
    encode: Encode,
    batch: int,
    describe: Callable[[str], str],
    tell: Callable[[int], None] = lambda done: None,
) -> None:
    """Compute one shard's rows and write it; whoever asks holds the lock. Raises as `fill` does."""
    rows: list[dict[str, NDArray[Any]]] = []
    for some in _slices(keys, batch):
        tell(len(rows) * batch)
        rows.append(_checked(store, some, encode(some), describe))
    store.add(keys, {name: np.concatenate([part[name] for part in rows]) for name in store.shapes})


def _slices(keys: Sequence[str], size: int) -> list[Sequence[str]]:
    return [keys[start : start + size] for start in range(0, len(keys), size)]


def _checked(
    store: Store, keys: Sequence[str], signals: Mapping[str, Tensor], describe: Callable[[str], str]
) -> dict[str, NDArray[Any]]:
    """Return the rows as they are stored. Raises where an encoder breaks its promise or a value is not finite."""
    out = {}
    for name, shape in store.shapes.items():
        if name not in signals or tuple(signals[name].shape) != (len(keys), *shape):
            gave = tuple(signals[name].shape) if name in signals else "nothing"
            what = f"the encoder promised {(len(keys), *shape)} and gave {gave}"
            raise RecipeError("features", [Problem(name, what)])
        with np.errstate(over="ignore"):
            value = signals[name].detach().cpu().float().numpy().astype(store.dtype)
        bad = np.flatnonzero(~np.isfinite(value).reshape(len(keys), math.prod(shape)).all(axis=1))
        if bad.size:
            raise NonFiniteError(f"features: {name} of {describe(keys[bad[0]])} is not finite in {store.dtype}")
        out[name] = value
    return out


def _preflight(store: Store, rows: int) -> None:
    need = planned_bytes(store.shapes, rows, 1, store.dtype)
    free = free_bytes(store.root)
    if need > free:
        figures = f"needs {need / 1e9:.2f} GB for {rows} rows and {free / 1e9:.2f} GB is free"
        todo = "free space, choose another cache folder, or store fewer views or a coarser grid of tokens"
        raise DiskError(f"{store.root}: the feature cache {figures}; {todo}")
