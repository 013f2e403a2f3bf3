"""What a cached row is called: by the content it came from and by what made it, never by path or time."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Literal

from skinframe.components import Shape

# Raise it when the meaning of a key or the layout of a shard changes: old rows are then never met again.
SCHEMA = 1
ROWS = 256  # rows of a shard; fixed, so that an interrupted extraction makes the same shards as a whole one
ROW_OVERHEAD = 128  # bytes of index a row and signal

DType = Literal["float16", "float32"]
WIDTH = {"float16": 2, "float32": 4}


def hashed(*parts: str | int) -> str:
    """Return the SHA-256 of the parts as a JSON list, so that no two lists share one text."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def row_key(content: str, encoder: str, view: int, dtype: DType) -> str:
    """Return the key of one row: `content` is the SHA-256 of an image's bytes or of a text, `encoder` its digest."""
    return hashed("row", SCHEMA, content, encoder, view, dtype)


def space_key(kind: str, encoder: str, dtype: DType) -> str:
    """Return the name of the folder that holds every row of one encoder."""
    return f"{kind}-{hashed('space', SCHEMA, encoder, dtype)[:24]}"


def planned_bytes(shapes: Mapping[str, Shape], n: int, views: int = 1, dtype: DType = "float16") -> int:
    """Return the disk space in bytes that `n` samples in `views` views will take, index included."""
    values = sum(math.prod(shape) for shape in shapes.values())
    return n * views * (values * WIDTH[dtype] + ROW_OVERHEAD * max(1, len(shapes)))
