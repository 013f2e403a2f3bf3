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

from skinframe.durable import disk_errors, sweep, write_atomic
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
    if resume and not folder.exists():
        _refuse_other_plan(plan, out)
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        _same_plan(plan, folder)
        sweep(folder)
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
    """Refuse to continue a folder whose plan.yaml says another thing than its name, and name the key."""
    differences = _differences(plan, folder)
    if differences:
        raise RecipeError(str(folder), differences)


def _refuse_other_plan(plan: Plan, out: Path) -> None:
    """Refuse `--resume` where only runs of another plan stand; where there is none at all it is a first start."""
    others = sorted(out.glob(f"{plan.recipe.name}-*/plan.yaml"), key=lambda path: path.stat().st_mtime)
    if not others:
        return
    newest = others[-1].parent
    what = f"no run of this plan stands in {out}; leave --resume out to start one. {newest.name} differs in"
    raise RecipeError(plan.source, [Problem("--resume", what), *_differences(plan, newest)])


def _differences(plan: Plan, folder: Path) -> list[Problem]:
    path = folder / "plan.yaml"
    if not path.is_file():
        return []
    before, now = _identity(path), dict(plan.identity)
    keys = sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key))
    return [Problem(key, f"was {before.get(key)} in that run, is {now.get(key)} now") for key in keys]


def _identity(path: Path) -> dict[str, str]:
    try:
        return dict(yaml.safe_load(path.read_text(encoding="utf-8"))["identity"])
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        what = "is not the plan of a run; restore it, or move the run folder away to start afresh"
        raise RecipeError(str(path.parent), [Problem(path.name, what)]) from error
