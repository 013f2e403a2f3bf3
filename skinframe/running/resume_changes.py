"""Differences between a run and its resume: refused by key, or allowed by name and recorded."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from skinframe.atomic_write import write_json
from skinframe.errors import Problem, RecipeError
from skinframe.predicting.finished_run import CHANGES
from skinframe.untrusted_files import read_list


@dataclass(frozen=True)
class Change:
    """One key of a plan or of its environment, with both values."""

    key: str
    was: str | None
    now: str | None

    def problem(self) -> Problem:
        return Problem(self.key, f"was {self.was} in that run, now {self.now}")


def changes_between(before: Mapping[str, str], now: Mapping[str, str]) -> list[Change]:
    """Return every key whose value differs, in the order of the keys."""
    keys = sorted(before.keys() | now.keys())
    return [Change(key, before.get(key), now.get(key)) for key in keys if before.get(key) != now.get(key)]


def refuse_changes(changes: Sequence[Change], allow: Collection[str], source: str) -> None:
    """Raise RecipeError naming each change that is not allowed."""
    problems = [change.problem() for change in changes if change.key not in allow]
    if problems:
        what = "use the same values, or accept a key with --allow-change KEY; the run is then not bitwise reproducible"
        raise RecipeError(source, [*problems, Problem("--resume", what)])


def record_changes(folder: Path, changes: Sequence[Change]) -> None:
    """Add allowed changes to `changes.json`; writes nothing if there are none."""
    if changes:
        write_json(folder / CHANGES, [*recorded_changes(folder), *(asdict(change) for change in changes)])


def training_changes(folder: Path) -> list[dict[str, str]]:
    """Return the recorded changes but those of the evaluation, which leave the trained model as it is."""
    return [change for change in recorded_changes(folder) if not change["key"].startswith("evaluate.")]


def recorded_changes(folder: Path) -> list[dict[str, str]]:
    """Return every change that was allowed in this run so far."""
    path = folder / CHANGES
    return list(read_list(path)) if path.exists() else []
