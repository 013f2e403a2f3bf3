"""Exclusive folder locks that end with their process, and lease files where a file system has no `flock`."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import logging
import os
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from skinframe.atomic_write import disk_errors
from skinframe.errors import BusyError
from skinframe.printable_text import printable
from skinframe.untrusted_files import UnreadableError, parse_object, read_text

POLL = 0.1  # seconds between two looks at a held lock
NO_FLOCK = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)
log = logging.getLogger("skinframe")


@contextmanager
def exclusive(folder: Path, name: str, *, wait: bool) -> Iterator[None]:
    """Hold `folder/name`. With `wait`, wait for another live holder; without, raise BusyError that names it.

    The kernel frees the lock of a process that died. On a file system without `flock` a lease file takes its place: a
    lease whose process on this host is gone is cleared; one of another host cannot be proven stale: BusyError.
    """
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / name, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            _take(handle, folder, wait)
        except OSError as error:
            if error.errno not in NO_FLOCK:
                raise
            log.warning("%s: this file system has no working flock; falling back to a lease file", folder)
            with _lease(folder / f"{name}.lease", wait):
                yield
            return
        os.ftruncate(handle, 0)
        os.pwrite(handle, _holder().encode(), 0)
        yield
    finally:
        os.close(handle)  # closing frees the lock


def _holder() -> str:
    return json.dumps({"host": socket.gethostname(), "pid": os.getpid(), "since": time.strftime("%Y-%m-%dT%H:%M:%S")})


def _holder_text(text: str) -> str:
    """Return a holder's own statement as words."""
    try:
        held = parse_object(text, "the lock")
        return printable(f"process {held['pid']} on {held['host']} since {held['since']}"[:200])
    except (UnreadableError, KeyError):
        return "another process"


def _busy(folder: Path, text: str) -> BusyError:
    return BusyError(f"{folder}: is in use by {_holder_text(text)}; wait for it or stop it")


def _take(handle: int, folder: Path, wait: bool) -> None:
    warned = False
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            held = os.pread(handle, 4096, 0).decode(errors="replace")
            if not wait:
                raise _busy(folder, held) from None
            if not warned:
                log.warning("%s: waiting for %s, which writes here", folder, _holder_text(held))
                warned = True
            time.sleep(POLL)


@contextmanager
def _lease(path: Path, wait: bool) -> Iterator[None]:
    mine = _holder()
    while True:
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
            break
        except FileExistsError:
            if _clear_if_stale(path):
                continue
            if not wait:
                raise _busy(path.parent, _read(path)) from None
            time.sleep(POLL)
    try:
        os.write(handle, mine.encode())
        os.close(handle)
        yield
    finally:
        path.unlink(missing_ok=True)


def _read(path: Path) -> str:
    try:
        return read_text(path, 4096)
    except UnreadableError:
        return ""


def _clear_if_stale(path: Path) -> bool:
    """Remove a lease whose process on this host is gone. Raises BusyError for a lease of another host."""
    try:
        text = read_text(path, 4096)
        held = parse_object(text, path)
        host, pid = str(held["host"]), held["pid"]
    except (UnreadableError, KeyError):
        return not path.exists()  # gone, or being written at this moment
    if type(pid) is not int or not 0 < pid < 2**22:  # no process can have that number: nothing here holds the lease
        pid = None
    if host != socket.gethostname():
        raise BusyError(f"{path}: held by {_holder_text(text)}; wait, or remove it if that ended")
    with contextlib.suppress(PermissionError):
        try:
            if pid is None:
                raise ProcessLookupError
            os.kill(pid, 0)
        except ProcessLookupError:
            aside = path.with_name(f"{path.name}.stale-{uuid.uuid4().hex[:8]}")
            with contextlib.suppress(FileNotFoundError):
                path.rename(aside)
                if read_text(aside, 4096) != text:  # a newer lease took its place between the look and the rename
                    os.link(aside, path)
                aside.unlink()
            return True
    return False
