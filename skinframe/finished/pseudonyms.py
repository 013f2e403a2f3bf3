"""Names for what is shared: keyed hashes, so that only who holds the key can tell whose a row is."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from skinframe.durable import disk_errors
from skinframe.errors import DataError

LETTERS = 16  # 64 bits: two of a million names meet once in 40 million sets
LEAST = 32  # hex digits of a key


def pseudonyms(key_file: Path) -> Callable[[str], str]:
    """Return a function from a name to its pseudonym, HMAC-SHA256 under the key of a file; a file that is not there is
    made, for its owner's eyes. Raises DataError for a file that holds no key, DiskError.
    """
    if not key_file.exists():
        with disk_errors(key_file):
            key_file.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(handle, "w", encoding="ascii") as file:
                file.write(secrets.token_hex(32) + "\n")
                file.flush()
                os.fsync(file.fileno())
    try:
        key = bytes.fromhex(key_file.read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        key = b""
    if len(key) < LEAST // 2:
        raise DataError(f"{key_file}: holds no key; name a file that is not there yet, and keep what is written to it")
    return lambda name: hmac.new(key, name.encode(), hashlib.sha256).hexdigest()[:LETTERS]
