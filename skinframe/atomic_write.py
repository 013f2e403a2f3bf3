"""Atomic writes: a temporary file beside the target, fsync, rename, fsync of the folder."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from skinframe.errors import DiskError
from skinframe.printable_text import printable
from skinframe.untrusted_files import UnreadableError, inside, parse_object, read_bytes, read_object, sha256_of

MANIFEST = "MANIFEST.json"
BLOCK = 2**18  # bytes compared at a time; larger ones leave the processor's cache
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EFBIG, errno.ENOTDIR, errno.EPERM, errno.EIO)
SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
UNFIT = (errno.EEXIST, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP)  # a path that cannot be created as requested


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn a full or read-only disk into a DiskError that names the path."""
    try:
        yield
    except OSError as error:
        if error.errno in (*FULL, *UNFIT):
            reason = (error.strerror or str(error)).lower()
            what = "free space" if error.errno in SPACE else "make it writable"
            way = f"{what} or choose another folder with --out (the feature cache: --cache)"
            raise DiskError(f"{path}: {reason}; {way}") from error
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
    """Replace `path` by `data`, completely or not at all. Raises DiskError; the old file is then unchanged."""
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


def write_checked(path: Path, value: Any) -> None:
    """Write a JSON value with a checksum that `read_checked` compares; what stands in a cache is written so."""
    write_json(path, {"sha256": _sha256(_manifest(value)), "value": value})


def read_checked(path: Path) -> Any:
    """Return the value that `write_checked` wrote. Raises UnreadableError where it is not that value any more."""
    written = read_object(path)
    if written.get("sha256") != _sha256(_manifest(written.get("value"))):
        raise UnreadableError(path, "does not match its checksum")
    return written["value"]


def write_folder(target: Path, files: Mapping[str, bytes]) -> None:
    """Write a folder of files with a hashed manifest, the manifest last, rename it into place, read it back.

    Hashing runs beside the writing, in a thread. Raises DiskError.
    """
    temporary = target.with_name(f"{target.name}.tmp-{uuid.uuid4().hex[:8]}")
    with disk_errors(target):
        try:
            temporary.mkdir(parents=True)
            with ThreadPoolExecutor(1) as beside:
                hashes = {name: beside.submit(_sha256, data) for name, data in files.items()}
                for name, data in files.items():
                    write_file(temporary / name, data)
            entries = {n: {"bytes": len(d), "sha256": hashes[n].result()} for n, d in files.items()}
            whole = {**files, MANIFEST: _manifest(entries)}
            write_file(temporary / MANIFEST, whole[MANIFEST])
            fsync_folder(temporary)
            temporary.rename(target)
        except OSError:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        fsync_folder(target.parent)
        _read_back(target, whole)


def _read_back(folder: Path, files: Mapping[str, bytes]) -> None:
    """Raise DiskError if the folder is not what was just written: a failing disk may keep nothing silently."""
    odd = {path.name for path in folder.iterdir()} ^ files.keys()
    if odd:
        raise DiskError(
            f"{folder}: holds other files than were written ({', '.join(sorted(odd))}); this disk is failing"
        )
    for name, data in files.items():
        with (folder / name).open("rb", buffering=0) as stream:
            for start in range(0, len(data), BLOCK):
                if stream.read(BLOCK) != data[start : start + BLOCK]:
                    raise DiskError(
                        f"{folder / name}: reads back differently than it was written; this disk is failing"
                    )
            if stream.read(1):
                raise DiskError(f"{folder / name}: is longer than what was written; this disk is failing")


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _manifest(entries: Any) -> bytes:
    return json.dumps(entries, indent=2, sort_keys=True).encode()


def damage_in(folder: Path) -> str | None:
    """Return what is wrong with a folder that has a manifest; None if every file of its manifest is as it was written.

    Files that the manifest does not list are not damage: `unlisted_in` names them, and nothing reads them.
    """
    try:
        entries = _entries(folder)
        for name, entry in entries.items():
            path = inside(folder, name)
            if path.stat().st_size != entry["bytes"]:
                return f"{name} has a different size than was written"
            if sha256_of(path) != entry["sha256"]:
                return f"{name} does not match its hash"
    except UnreadableError as error:
        return f"{Path(error.where).name}: {error.reason}"
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return printable(f"{type(error).__name__}: {error}")
    return None


def listed_in(folder: Path) -> frozenset[str]:
    """Return the files that a folder's manifest lists. Raises UnreadableError where it has none."""
    return frozenset(_entries(folder))


def unlisted_in(folder: Path) -> list[str]:
    """Return the files of a folder that its manifest does not list, such as those that a file manager leaves."""
    return sorted({path.name for path in folder.iterdir()} - {MANIFEST} - listed_in(folder))


def _entries(folder: Path) -> dict[str, Any]:
    written = read_bytes(folder / MANIFEST)
    entries = parse_object(written, folder / MANIFEST)
    if _manifest(entries) != written:  # the manifest has no hash of its own: it must be as this module writes it
        raise UnreadableError(folder / MANIFEST, "was changed after it was written")
    if not entries:
        raise UnreadableError(folder / MANIFEST, "lists no file")
    return entries


def free_bytes(folder: Path) -> int:
    """Return the free space in bytes of the disk that holds a folder."""
    return shutil.disk_usage(folder).free


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files of interrupted writes, recursively; call it only while holding the folder's lock."""
    for leftover in list(folder.rglob("*.tmp-*")):
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)
