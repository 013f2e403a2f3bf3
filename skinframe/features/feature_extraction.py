"""Feature extraction: run each frozen encoder once per content, and read the cache afterwards."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from skinframe.components import Encoder, Tower
from skinframe.features.cached_features import Features
from skinframe.features.compute_missing_features import Encode, Progress, compute_missing, write_rows
from skinframe.features.dihedral_views import VIEWS, dihedral
from skinframe.features.shard_format import DType, row_key
from skinframe.features.shard_store import Store

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

TEXT = "text_embedding"
BATCH = 32  # images per call of a tower; the same wherever a shard is made, because the bits may depend on it

ViewRow = tuple[str, int, int]  # key of a row, sample, view
RemoteExtraction = Callable[[Sequence[Sequence[ViewRow]]], Generator[int]]  # shards -> index of each written shard


def extract_images(
    encoder: Encoder,
    keys: Sequence[str],
    load: Callable[[int], Image],
    *,
    root: Path,
    views: int = 1,
    device: str = "cpu",
    batch: int = BATCH,
    dtype: DType = "float16",
    progress: Progress | None = None,
    load_tower: Callable[[], Tower] | None = None,
    remote: RemoteExtraction | None = None,
) -> Features:
    """Return the image signals of every sample in `views` dihedral views, computing those that are not in the cache.

    `keys[i]` is the SHA-256 of sample i's image bytes; `load(i)` decodes it and is called for missing rows only, as is
    `load_tower` (by default `encoder.load(device)`), at most once. Two samples with the same bytes share their rows.
    `progress(done, total)` counts rows. `remote` lets other processes write the shards, each by `extract_shard`.
    Raises DiskError, NonFiniteError, and what `load` raises.
    """
    if not 1 <= views <= VIEWS or batch < 1:
        raise ValueError(f"views must be in [1, {VIEWS}] and batch at least 1, got {views} and {batch}")
    store = _image_store(encoder, root, dtype)
    rows = [row_key(key, store.encoder, view, dtype) for key in keys for view in range(views)]
    origin: dict[str, tuple[int, int]] = {}
    for position, row in enumerate(rows):
        origin.setdefault(row, (position // views, position % views))
    encode = _image_encoder(origin, load, cache_once(load_tower or (lambda: encoder.load(device))))

    def describe(row: str) -> str:
        sample, view = origin[row]
        return f"sample {sample} (image {keys[sample][:16]}, view {view})"

    def write_remotely(shards: Sequence[Sequence[str]]) -> Generator[int]:
        assert remote is not None
        return remote([[(row, *origin[row]) for row in shard] for shard in shards])

    def refill(wanted: Sequence[str]) -> None:
        compute_missing(store, wanted, encode, batch=batch, describe=describe)

    write = None if remote is None else write_remotely
    compute_missing(store, list(origin), encode, batch=batch, describe=describe, progress=progress, remote=write)
    return Features(store, rows, views, refill)


def extract_shard(
    encoder: Encoder,
    rows: Sequence[ViewRow],
    load: Callable[[int], Image],
    *,
    root: Path,
    tower: Callable[[], Tower],
    describe: Callable[[int], str],
    dtype: DType = "float16",
) -> None:
    """Compute and write one shard for the process that holds the cache's lock, with the same bytes.

    `describe(sample)` names a sample in an error. Raises as `extract_images` does.
    """
    origin = {key: (sample, view) for key, sample, view in rows}

    def named(row: str) -> str:
        sample, view = origin[row]
        return f"{describe(sample)} (view {view})"

    store = _image_store(encoder, root, dtype)
    write_rows(store, list(origin), _image_encoder(origin, load, tower), BATCH, named)


def _image_store(encoder: Encoder, root: Path, dtype: DType) -> Store:
    shapes = {name: shape for name, shape in encoder.provides().items() if name != TEXT}
    if not shapes:
        raise ValueError(f"encoder '{encoder.name}' provides no image signal")
    return Store(root, "image", encoder.digest(), dtype, shapes)


def extract_texts(
    encoder: Encoder,
    texts: Sequence[str],
    *,
    root: Path,
    device: str = "cpu",
    batch: int = 64,
    load_tower: Callable[[], Tower] | None = None,
) -> Tensor:
    """Return the text embedding [N, D], float32, of every text; equal texts are encoded once and cached by content."""
    digest = encoder.digest()
    store = Store(root, "text", digest, "float32", {TEXT: encoder.provides()[TEXT]})
    rows = [row_key(hashlib.sha256(text.encode()).hexdigest(), digest, 0, "float32") for text in texts]
    origin = dict(zip(rows, texts, strict=True))
    tower = cache_once(load_tower or (lambda: encoder.load(device)))

    def encode(wanted: Sequence[str]) -> Mapping[str, Tensor]:
        return {TEXT: tower().texts([origin[row] for row in wanted])}

    def refill(wanted: Sequence[str]) -> None:
        compute_missing(store, wanted, encode, batch=batch, describe=lambda row: f"text {origin[row][:60]!r}")

    refill(list(origin))
    return Features(store, rows, 1, refill).get(range(len(rows)), [0] * len(rows))[TEXT]


def _image_encoder(
    origin: Mapping[str, tuple[int, int]], load: Callable[[int], Image], tower: Callable[[], Tower]
) -> Encode:
    held: dict[int, Image] = {}  # the last decoded image: its views are consecutive

    def encode(wanted: Sequence[str]) -> Mapping[str, Tensor]:
        pictures = []
        for sample, view in (origin[row] for row in wanted):
            if sample not in held:
                held.clear()
                held[sample] = load(sample)
            pictures.append(dihedral(held[sample], view))
        return tower().images(pictures)

    return encode


def cache_once(make: Callable[[], Tower]) -> Callable[[], Tower]:
    """Return a function that creates the tower at its first call and keeps it."""
    kept: list[Tower] = []

    def get() -> Tower:
        if not kept:
            kept.append(make())
        return kept[0]

    return get
