"""Writes that are either whole or absent: temp beside the target, fsync, rename, fsync the folder."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from skinframe.errors import DiskError

MANIFEST = "MANIFEST.json"
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EFBIG, errno.ENOTDIR, errno.EPERM)


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn a full or read-only disk into a DiskError that names the path."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            reason = (error.strerror or str(error)).lower()
            raise DiskError(f"{path}: {reason}; free space or choose another folder with --out") from error
        raise


def fsync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_file(path: Path, data: bytes) -> None:
    """Write and fsync one file; not atomic on its own."""
    with path.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def write_atomic(path: Path, data: bytes) -> None:
    """Replace `path` by `data`, whole or not at all. Raises DiskError; the old file then still stands."""
    temporary = path.with_name(f".{path.name}.tmp-{uuid.uuid4().hex[:8]}")
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            write_file(temporary, data)
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        fsync_folder(path.parent)


def write_json(path: Path, value: Any) -> None:
    write_atomic(path, (json.dumps(value, indent=2, sort_keys=True) + "\n").encode())


def write_folder(target: Path, files: Mapping[str, bytes]) -> None:
    """Write a folder of files with a hashed manifest, the manifest last, then rename it into place."""
    temporary = target.with_name(f"{target.name}.tmp-{uuid.uuid4().hex[:8]}")
    with disk_errors(target):
        try:
            temporary.mkdir(parents=True)
            for name, data in files.items():
                write_file(temporary / name, data)
            entries = {n: {"bytes": len(d), "sha256": hashlib.sha256(d).hexdigest()} for n, d in files.items()}
            write_file(temporary / MANIFEST, json.dumps(entries, indent=2, sort_keys=True).encode())
            fsync_folder(temporary)
            temporary.rename(target)
        except OSError:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        fsync_folder(target.parent)


def flaw_of(folder: Path) -> str | None:
    """Say why a manifested folder is not whole; None where every file matches its hash."""
    try:
        entries = json.loads((folder / MANIFEST).read_text())
        for name, entry in entries.items():
            data = (folder / name).read_bytes()
            if len(data) != entry["bytes"] or hashlib.sha256(data).hexdigest() != entry["sha256"]:
                return f"{name} does not match its hash"
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return f"{type(error).__name__}: {error}"
    return None


def sweep(folder: Path) -> None:
    """Remove what an interrupted write left behind, here and in the folders below; the folder must have one owner."""
    for leftover in list(folder.rglob("*.tmp-*")):
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)
