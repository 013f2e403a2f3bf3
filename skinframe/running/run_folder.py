"""The run folder: one process at a time, one plan, nothing overwritten without --resume."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from skinframe.atomic_write import disk_errors, remove_leftovers, write_atomic, write_json
from skinframe.errors import Problem, RecipeError
from skinframe.locks import exclusive
from skinframe.planning import Plan
from skinframe.planning.plan_text import plan_yaml
from skinframe.predicting.finished_run import fingerprints_of, read_statement
from skinframe.running.resume_changes import Change, changes_between, record_changes, refuse_changes
from skinframe.running.verify_files import open_again

LOCK = ".lock"


@contextmanager
def run_folder(plan: Plan, out: Path, resume: bool, allow: Collection[str] = ()) -> Iterator[Path]:
    """Create or re-open `out/<name>-<fingerprint>` and hold its lock.

    A resume continues in the newest folder of this name that differs only in keys of `allow`. `take_over` records the
    changes once training goes on, so a resume that is refused before leaves the folder as it was. Raises RecipeError
    where the folder exists and `resume` is off, or holds another plan; BusyError where a live run owns it.
    """
    folder = out / plan.run_name
    if resume and not folder.exists():
        folder = _resumable(plan, out, allow) or folder
    if folder.exists() and not resume and any(folder.glob("checkpoints/epoch-*")):
        what = "this run already exists; continue it with --resume, or choose another folder with --out"
        raise RecipeError(plan.source, [Problem(str(folder), what)])
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        refuse_changes(_differences(plan, folder), allow, str(folder))
        remove_leftovers(folder)
        if not (folder / "plan.yaml").is_file():
            write_atomic(folder / "plan.yaml", plan_yaml(plan).encode())
        yield folder


def take_over(plan: Plan, folder: Path, device: str) -> None:
    """Write plan and environment of a run that trains now; a finished run is unfinished from here on."""
    from skinframe.running.environment import environment

    changes = _differences(plan, folder)
    if changes:
        changes = [*changes, Change("fingerprint", fingerprints_of(folder)[0], plan.fingerprint)]
    open_again(folder)
    record_changes(folder, changes)
    write_atomic(folder / "plan.yaml", plan_yaml(plan).encode())
    write_json(folder / "environment.json", environment(plan, device))


def locked(folder: Path) -> AbstractContextManager[None]:
    """Hold an exclusive lock on a folder. Raises BusyError naming process, host and start of a live holder."""
    return exclusive(folder, LOCK, wait=False)


def _resumable(plan: Plan, out: Path, allow: Collection[str]) -> Path | None:
    """Return the newest run of this name that may be resumed with this plan; None if there is no run.

    Raises RecipeError if there are only runs of other plans.
    """
    others = sorted(out.glob(f"{plan.recipe.name}-*/plan.yaml"), key=lambda path: path.stat().st_mtime, reverse=True)
    for other in others:
        if all(change.key in allow for change in _differences(plan, other.parent)):
            return other.parent
    if not others:
        return None
    newest = others[0].parent
    what = f"{out} has no run of this plan; omit --resume to start one. {newest.name} differs in"
    problems = [change.problem() for change in _differences(plan, newest)]
    raise RecipeError(plan.source, [Problem("--resume", what), *problems])


def _differences(plan: Plan, folder: Path) -> list[Change]:
    path = folder / "plan.yaml"
    return changes_between(_identity(path), dict(plan.identity)) if path.is_file() else []


def _identity(path: Path) -> dict[str, str]:
    try:
        return read_statement(path)[1]
    except RecipeError as error:
        what = "is not a valid plan; restore it, or move the run folder away to start again"
        raise RecipeError(str(path.parent), [Problem(path.name, what), *error.problems]) from error
