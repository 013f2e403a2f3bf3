"""The SHA-256 of large files, computed once: remembered by size, times and inode, in this process and on disk."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import re
import time
from pathlib import Path

from skinframe.atomic_write import read_checked, write_checked
from skinframe.errors import DataError, DiskError
from skinframe.untrusted_files import sha256_of

LARGE = 16 * 2**20  # bytes; a smaller file is hashed faster than its entry is found
SETTLED = 2.0  # seconds: a file changed more recently may change again within one tick of its clock
DIGEST = re.compile(r"[0-9a-f]{64}")


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a regular file. Raises UnreadableError.

    In the cache of a model hub a large file is named by its SHA-256 and is not read at all. Otherwise a large file is
    read once as long as device, inode, size and both of its times stay; the entry is in `~/.cache/skinframe`.
    """
    real = path.resolve()
    if real.parent.name == "blobs" and DIGEST.fullmatch(real.name):
        return real.name
    try:
        status = real.stat()
    except (OSError, ValueError):
        return sha256_of(path)  # says what is wrong
    state = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return _digest(real, state)


@functools.lru_cache(maxsize=64)
def _digest(path: Path, state: tuple[int, ...]) -> str:
    size, changed = state[2], max(state[3], state[4]) / 1e9
    if size < LARGE:
        return sha256_of(path)
    entry = _entry(path, state)
    with contextlib.suppress(DataError, OSError, KeyError, TypeError):
        known = read_checked(entry)
        if known["state"] == list(state) and known["path"] == str(path) and DIGEST.fullmatch(known["sha256"]):
            return str(known["sha256"])
    found = sha256_of(path)
    if time.time() - changed > SETTLED:
        with contextlib.suppress(DiskError, OSError, ValueError):  # a full or read-only home costs time only
            write_checked(entry, {"path": str(path), "state": list(state), "sha256": found})
    return found


def _entry(path: Path, state: tuple[int, ...]) -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    name = hashlib.sha256(repr((str(path), state)).encode("utf-8", "surrogatepass")).hexdigest()
    return Path(home) / "skinframe" / "digests" / f"{name[:32]}.json"
