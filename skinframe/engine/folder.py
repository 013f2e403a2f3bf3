"""The run folder: one live owner, one fingerprint, nothing overwritten unasked."""

from __future__ import annotations

import fcntl
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import yaml

from skinframe.durable import disk_errors, write_atomic
from skinframe.errors import BusyError, Problem, RecipeError
from skinframe.planning import Plan
from skinframe.planning.show import plan_yaml


@contextmanager
def run_folder(plan: Plan, out: Path, resume: bool) -> Iterator[Path]:
    """Create or re-open `out/<name>-<fingerprint>` and hold its lock.

    Raises RecipeError where it exists and `resume` is off, or holds another plan; BusyError where a live run owns it.
    """
    folder = out / plan.run_name
    if folder.exists() and not resume and any(folder.glob("checkpoints/epoch-*")):
        what = "this run was started before; continue it with --resume, or choose another folder with --out"
        raise RecipeError(plan.source, [Problem(str(folder), what)])
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        _same_plan(plan, folder)
        write_atomic(folder / "plan.yaml", plan_yaml(plan).encode())
        yield folder


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold an exclusive lock on a folder; the kernel frees it when its holder dies."""
    with disk_errors(folder):
        handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 4096, 0).decode(errors="replace")
            raise BusyError(f"{folder}: is in use by {holder or 'another process'}; wait for it or stop it") from None
        os.ftruncate(handle, 0)
        started = datetime.now(UTC).isoformat(timespec="seconds")
        os.pwrite(handle, f"process {os.getpid()} on {platform.node()} since {started}".encode(), 0)
        yield
    finally:
        os.close(handle)


def _same_plan(plan: Plan, folder: Path) -> None:
    """Refuse to continue under another plan, and name the key that differs."""
    path = folder / "plan.yaml"
    if not path.is_file():
        return
    before = yaml.safe_load(path.read_text(encoding="utf-8"))["identity"]
    now = dict(plan.identity)
    keys = sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key))
    if keys:
        problems = [Problem(key, f"was {before.get(key)} in this run, is {now.get(key)} now") for key in keys]
        raise RecipeError(str(folder), problems)
