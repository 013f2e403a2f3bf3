"""One writer a cache: it waits for another, since that one may write the rows wanted here."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from skinframe import locks

NAME = "features.lock"


def exclusive(root: Path) -> AbstractContextManager[None]:
    """Hold the cache for writing. Raises BusyError for the lease of another host, DiskError."""
    return locks.exclusive(root, NAME, wait=True)
