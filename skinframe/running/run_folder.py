"""The run folder: one live owner, one fingerprint, nothing overwritten unasked."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import yaml

from skinframe.durable import disk_errors, sweep, write_atomic
from skinframe.errors import Problem, RecipeError
from skinframe.locks import exclusive
from skinframe.planning import Plan
from skinframe.planning.show import plan_yaml
from skinframe.running.resume_changes import Change, differing, note, refuse

LOCK = ".lock"


@contextmanager
def run_folder(plan: Plan, out: Path, resume: bool, allow: Collection[str] = ()) -> Iterator[Path]:
    """Create or re-open `out/<name>-<fingerprint>` and hold its lock.

    A resume goes on in the newest folder of this name that differs by keys of `allow` only; what changed is noted in
    `changes.json`. Raises RecipeError where the folder exists and `resume` is off, or holds another plan; BusyError
    where a live run owns it.
    """
    folder = out / plan.run_name
    if resume and not folder.exists():
        folder = _other(plan, out, allow) or folder
    if folder.exists() and not resume and any(folder.glob("checkpoints/epoch-*")):
        what = "this run was started before; continue it with --resume, or choose another folder with --out"
        raise RecipeError(plan.source, [Problem(str(folder), what)])
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        changes = _differences(plan, folder)
        refuse(changes, allow, str(folder))
        sweep(folder)
        note(folder, changes)
        write_atomic(folder / "plan.yaml", plan_yaml(plan).encode())
        yield folder


def locked(folder: Path) -> AbstractContextManager[None]:
    """Hold an exclusive lock on a folder. Raises BusyError naming process, host and start of a live holder."""
    return exclusive(folder, LOCK, wait=False)


def _other(plan: Plan, out: Path, allow: Collection[str]) -> Path | None:
    """Return the newest run of this name that may go on as this plan; None where none was ever started.

    Raises RecipeError where only runs of another plan stand.
    """
    others = sorted(out.glob(f"{plan.recipe.name}-*/plan.yaml"), key=lambda path: path.stat().st_mtime, reverse=True)
    for other in others:
        if all(change.key in allow for change in _differences(plan, other.parent)):
            return other.parent
    if not others:
        return None
    newest = others[0].parent
    what = f"no run of this plan stands in {out}; leave --resume out to start one. {newest.name} differs in"
    problems = [change.problem() for change in _differences(plan, newest)]
    raise RecipeError(plan.source, [Problem("--resume", what), *problems])


def _differences(plan: Plan, folder: Path) -> list[Change]:
    path = folder / "plan.yaml"
    return differing(_identity(path), dict(plan.identity)) if path.is_file() else []


def _identity(path: Path) -> dict[str, str]:
    try:
        return dict(yaml.safe_load(path.read_text(encoding="utf-8"))["identity"])
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        what = "is not the plan of a run; restore it, or move the run folder away to start afresh"
        raise RecipeError(str(path.parent), [Problem(path.name, what)]) from error
