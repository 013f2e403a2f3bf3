"""Commit and state of the repository that holds a recipe, read from its files by hand.

No `git` is started: in a folder of somebody else, its configuration and attributes can make git run any command.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skinframe.errors import DataError
from skinframe.untrusted_files import MIB, read_bytes, read_text

OBJECT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
REF = re.compile(r"refs/[A-Za-z0-9][\w./+@#=-]*")
MOST_FILES = 200_000
MOST_HASHED = 64 * MIB  # bytes of the files whose times differ from the index
SUBMODULE = 0o160000


@dataclass(frozen=True)
class _Entry:
    """One file of the index: what git knew of it when it last looked."""

    name: bytes
    mode: int
    size: int
    mtime: tuple[int, int]
    object: bytes


class _UnknownError(Exception):
    """The index says nothing that can be compared."""


def git_state(folder: Path) -> dict[str, Any] | None:
    """Return `{"commit", "dirty"}` of the repository that `folder` is in; None outside of one.

    `dirty` is None where it cannot be decided without git: changes are staged, or the index is of a kind not read here.
    """
    for parent in (folder, *folder.parents):
        place = parent / ".git"
        try:
            if place.is_dir():
                return _state(parent, place)
            if place.is_file():  # a worktree or a submodule
                named = read_text(place, 4096).removeprefix("gitdir:").strip()
                return _state(parent, (parent / named).resolve())
        except (DataError, OSError, ValueError):
            return None
    return None


def _state(root: Path, git: Path) -> dict[str, Any] | None:
    commit = _commit(git)
    if commit is None:
        return None
    try:
        dirty: bool | None = _dirty(root, git, commit)
    except (_UnknownError, DataError, OSError, ValueError, IndexError, struct.error):
        dirty = None
    return {"commit": commit, "dirty": dirty}


def _commit(git: Path) -> str | None:
    head = read_text(git / "HEAD", 4096).strip()
    if OBJECT.fullmatch(head):
        return head
    ref = head.removeprefix("ref:").strip()
    if not REF.fullmatch(ref) or ".." in ref:
        return None
    for place in (git, _common(git)):
        try:
            written = read_text(place / ref, 4096).strip()
        except DataError:
            written = _packed(place, ref)
        if OBJECT.fullmatch(written):
            return written
    return None


def _common(git: Path) -> Path:
    """Return the folder that a worktree shares with its repository; `git` itself without one."""
    try:
        return git / read_text(git / "commondir", 4096).strip()
    except DataError:
        return git


def _packed(git: Path, ref: str) -> str:
    try:
        listed = read_text(git / "packed-refs", 16 * MIB)
    except DataError:
        return ""
    return next((line[: -1 - len(ref)] for line in listed.splitlines() if line.endswith(f" {ref}")), "")


def _dirty(root: Path, git: Path, commit: str) -> bool:
    """Say whether a tracked file differs from the index, or the index from the commit. Raises _UnknownError."""
    data = read_bytes(git / "index", 64 * MIB)
    written = os.stat(git / "index").st_mtime_ns
    width = len(commit) // 2
    budget = MOST_HASHED
    entries, extensions = _index(data, width)
    for entry in entries:
        if b".." in entry.name.split(b"/") or entry.name.startswith(b"/"):
            raise _UnknownError
        path = Path(os.fsdecode(os.path.join(os.fsencode(root), entry.name)))
        try:
            status = path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return True
        sure = entry.mtime[0] * 10**9 + entry.mtime[1] < written  # not written in the very tick of the index
        same_time = divmod(status.st_mtime_ns, 10**9) == entry.mtime
        if sure and same_time and status.st_size % 2**32 == entry.size:
            continue
        budget -= status.st_size
        if budget < 0:
            raise _UnknownError
        if _blob(path, status, width) != entry.object:
            return True
    tree = _tree_of_index(extensions, width)
    committed = _tree_of_commit(git, commit)
    return committed is not None and committed != tree


def _blob(path: Path, status: os.stat_result, width: int) -> bytes | None:
    if stat.S_ISLNK(status.st_mode):
        content = os.fsencode(os.readlink(path))
    elif stat.S_ISREG(status.st_mode):
        content = read_bytes(path, MOST_HASHED)
    else:
        return None
    name = "sha1" if width == 20 else "sha256"  # git's own names of objects
    return hashlib.new(name, b"blob %d\x00" % len(content) + content, usedforsecurity=False).digest()


def _index(data: bytes, width: int) -> tuple[list[_Entry], bytes]:
    """Return the files of a git index (versions 2 and 3) without submodules and skipped ones, and its extensions."""
    mark, version, count = struct.unpack(">4sII", data[:12])
    if mark != b"DIRC" or version not in (2, 3) or count > MOST_FILES:
        raise _UnknownError
    entries, at = [], 12
    for _ in range(count):
        _, _, seconds, parts, _, _, mode, _, _, size = struct.unpack(">10I", data[at : at + 40])
        (flags,) = struct.unpack(">H", data[at + 40 + width : at + 42 + width])
        first, more = at + 42 + width, 0
        if flags & 0x4000:
            (more,) = struct.unpack(">H", data[first : first + 2])
            first += 2
        last = data.index(b"\x00", first)
        entry = _Entry(data[first:last], mode, size, (seconds, parts), data[at + 40 : at + 40 + width])
        if flags & 0x3000:  # a merge that is not finished
            raise _UnknownError
        if not flags & 0x8000 and not more & 0x4000 and mode != SUBMODULE:  # `assume unchanged`, `skip worktree`
            entries.append(entry)
        at += (last - at + 8) // 8 * 8
    return entries, data[at : len(data) - width]


def _tree_of_index(extensions: bytes, width: int) -> bytes:
    """Return the tree that the index was last written as. Raises _UnknownError where changes were staged since."""
    at = 0
    while at + 8 <= len(extensions):
        name, size = struct.unpack(">4sI", extensions[at : at + 8])
        body = extensions[at + 8 : at + 8 + size]
        if name == b"TREE":
            counts, _, rest = body.partition(b"\x00")[2].partition(b"\n")
            if not counts.startswith(b"-"):
                return rest[:width]
        at += 8 + size
    raise _UnknownError  # or a split index, whose entries are in another file


def _tree_of_commit(git: Path, commit: str) -> bytes | None:
    """Return the tree of a commit that is a file of its own; None where it is packed away."""
    try:
        packed = read_bytes(_common(git) / "objects" / commit[:2] / commit[2:], MIB)
        text = zlib.decompressobj().decompress(packed, 4096)
    except (DataError, zlib.error):
        return None
    found = re.match(rb"commit \d+\x00tree ([0-9a-f]+)\n", text)
    return bytes.fromhex(found[1].decode()) if found else None
