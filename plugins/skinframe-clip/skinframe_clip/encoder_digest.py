"""What an encoder's digest is made of: the bytes of its weights and everything that changes its output."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# Raise it when this package's own code changes what an encoder gives for the same weights and options.
CODE = 1


def digest_of(parts: Mapping[str, Any]) -> str:
    """Return the SHA-256 of JSON values; the order of keys does not matter."""
    text = json.dumps({"code": CODE, **parts}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, read once a process as long as its size and time stamp stay."""
    status = path.stat()
    return _file_digest(path.resolve(), status.st_size, status.st_mtime_ns)


@functools.lru_cache(maxsize=32)
def _file_digest(path: Path, size: int, changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
