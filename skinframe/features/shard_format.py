"""Cache keys and shard files: up to 256 rows in one safetensors file, with a JSON index written last.

A row is keyed by the content it was computed from and by the encoder, never by path or time.

Rows are read with `pread`, not through a memory map: a file that shrinks under a map kills the process (SIGBUS), while
a short read is an error that can be repaired.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from skinframe.atomic_write import write_atomic
from skinframe.components import Shape
from skinframe.untrusted_files import UnreadableError, parse_object, read_object

DATA, INDEX = ".safetensors", ".json"
# Increase it when the meaning of a key or the layout of a shard changes: old rows are then never used again.
SCHEMA = 1
ROWS = 256  # rows per shard; fixed, so that an interrupted extraction makes the same shards
ROW_OVERHEAD = 128  # bytes of index per row and signal

DType = Literal["float16", "float32"]
WIDTH = {"float16": 2, "float32": 4}


def hashed(*parts: str | int) -> str:
    """Return the SHA-256 of the parts as a JSON list: different lists have different texts."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def row_key(content: str, encoder: str, view: int, dtype: DType) -> str:
    """Return the key of one row: `content` is the SHA-256 of an image's bytes or of a text, `encoder` its digest."""
    return hashed("row", SCHEMA, content, encoder, view, dtype)


def space_key(kind: str, encoder: str, dtype: DType) -> str:
    """Return the folder name for all rows of one encoder."""
    return f"{kind}-{hashed('space', SCHEMA, encoder, dtype)[:24]}"


def planned_bytes(shapes: Mapping[str, Shape], n: int, views: int = 1, dtype: DType = "float16") -> int:
    """Return the disk space in bytes of `n` samples in `views` views, including the index."""
    values = sum(math.prod(shape) for shape in shapes.values())
    return n * views * (values * WIDTH[dtype] + ROW_OVERHEAD * max(1, len(shapes)))


class DamagedError(Exception):
    """A shard or one of its rows is not what was written."""


@dataclass(frozen=True, kw_only=True)
class Shard:
    """The index of one shard. `starts[signal]` is the byte offset of its row 0 in the data file."""

    path: Path
    dtype: str
    keys: tuple[str, ...]
    shapes: Mapping[str, Shape]
    starts: Mapping[str, int]
    crcs: Mapping[str, tuple[int, ...]]
    size: int
    header_crc: int
    sha256: str

    def stride(self, signal: str) -> int:
        """Bytes of one row of a signal."""
        return math.prod(self.shapes[signal]) * np.dtype(self.dtype).itemsize

    def damage(self, deep: bool = False) -> str | None:
        """Return what is wrong with the data file (size and header; with `deep` every byte), or None."""
        try:
            with self.path.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                if size != self.size:
                    return f"{size} bytes instead of {self.size}"
                if zlib.crc32(file.read(min(self.starts.values()))) != self.header_crc:
                    return "the header does not match its checksum"
                file.seek(0)
                if deep and hashlib.file_digest(file, "sha256").hexdigest() != self.sha256:
                    return "the content does not match its SHA-256"
        except OSError as error:
            return str(error)
        return None

    def read(self, handle: int, signal: str, row: int, check: bool) -> NDArray[Any]:
        """Read one row from an open file. Raises DamagedError if it is short or fails its CRC32."""
        stride = self.stride(signal)
        data = os.pread(handle, stride, self.starts[signal] + row * stride)
        if len(data) != stride:
            raise DamagedError(f"row {row} of {signal} is cut off")
        if check and zlib.crc32(data) != self.crcs[signal][row]:
            raise DamagedError(f"row {row} of {signal} does not match its checksum")
        return np.frombuffer(data, dtype=self.dtype).reshape(self.shapes[signal])


def index_of(folder: Path, keys: Sequence[str]) -> Path:
    """Return the path of the index of a shard: the name depends on its keys only, not on the writer."""
    return folder / f"{hashed(*keys)[:32]}{INDEX}"


def write_shard(folder: Path, keys: Sequence[str], tensors: Mapping[str, NDArray[Any]]) -> Shard:
    """Write rows [n, ...] of each signal, data first, index last. Raises DiskError and leaves no partial file."""
    path = index_of(folder, keys).with_suffix(DATA)
    data = save({name: np.ascontiguousarray(value) for name, value in tensors.items()})
    first = 8 + int.from_bytes(data[:8], "little")
    header = parse_object(data[8:first], path)
    shard = Shard(
        path=path,
        dtype=str(next(iter(tensors.values())).dtype),
        keys=tuple(keys),
        shapes={name: value.shape[1:] for name, value in tensors.items()},
        starts={name: first + header[name]["data_offsets"][0] for name in tensors},
        crcs={name: tuple(zlib.crc32(row.tobytes()) for row in value) for name, value in tensors.items()},
        size=len(data),
        header_crc=zlib.crc32(data[:first]),
        sha256=hashlib.sha256(data).hexdigest(),
    )
    try:
        write_atomic(path, data)
        write_atomic(path.with_suffix(INDEX), _index_bytes(shard))
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return shard


def read_index(path: Path) -> Shard:
    """Read a shard's index. Raises DamagedError if it is not what was written."""
    try:
        written = read_object(path)
        body = written["body"]
        if hashlib.sha256(_canonical(body)).hexdigest() != written["sha256"] or body["schema"] != SCHEMA:
            raise DamagedError("the index does not match its checksum")
        return Shard(
            path=path.with_suffix(DATA),
            dtype=body["dtype"],
            keys=tuple(body["keys"]),
            shapes={name: tuple(shape) for name, shape in body["shapes"].items()},
            starts=body["starts"],
            crcs={name: tuple(values) for name, values in body["crcs"].items()},
            size=body["size"],
            header_crc=body["header_crc"],
            sha256=body["sha256"],
        )
    except (UnreadableError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = error.reason if isinstance(error, UnreadableError) else str(error)
        raise DamagedError(f"the index cannot be read: {reason}") from error


def _index_bytes(shard: Shard) -> bytes:
    names = ("dtype", "keys", "shapes", "starts", "crcs", "size", "header_crc", "sha256")
    body = {"schema": SCHEMA, **{name: getattr(shard, name) for name in names}}
    return json.dumps({"sha256": hashlib.sha256(_canonical(body)).hexdigest(), "body": body}).encode()


def _canonical(body: Any) -> bytes:
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
