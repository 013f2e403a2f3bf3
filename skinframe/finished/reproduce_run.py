"""Rerun a finished run from its own folder and compare the two file by file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skinframe.atomic_write import write_atomic
from skinframe.errors import NotWholeError, Problem, RecipeError
from skinframe.planning.load_plan import refuse_missing
from skinframe.planning.plan import flatten
from skinframe.predicting.finished_run import plan_of_run, read_json, read_statement
from skinframe.progress import Display
from skinframe.recipe.yaml_text import dump
from skinframe.running.resume_changes import Change, changes_between
from skinframe.running.run_recipe import run
from skinframe.running.verify_files import FILES, verify
from skinframe.untrusted_files import well_formed

TIMES = ("date", "duration")  # of report.json's headline
NOT_COMPARED = (FILES, "environment.json", "changes.json", "report.html")  # the page is made of report.json


@dataclass(frozen=True)
class Reproduced:
    """The new run beside the old one."""

    command: str
    folder: Path
    equal: tuple[str, ...]
    different: tuple[str, ...]
    environment: tuple[Change, ...]

    def __str__(self) -> str:
        verdict = "bitwise equal" if not self.different else f"{len(self.different)} files differ"
        lines = [self.command, f"{self.folder}: {verdict}; {len(self.equal)} files are the same"]
        lines += [f"  differs: {name}" for name in self.different]
        return "\n".join(lines + [f"  {change.problem()}" for change in self.environment])


def reproduce(
    old: Path, out: Path | None, cache: Path | None, plugins: Sequence[Path] = (), display: Display | None = None
) -> Reproduced:
    """Write the run's recipe to `out`, run it there, and compare every file except for date and duration.

    Raises NotWholeError where the old run is damaged or the new one differs, RecipeError where data or weights changed.
    """
    verify(old)
    plan = plan_of_run(old, plugins)
    refuse_missing(plan)
    out = out or old.parent / "reproduced"
    if (out / plan.run_name).exists():
        raise RecipeError("reproduce", [Problem(str(out / plan.run_name), "exists; choose another folder with --out")])
    written, identity = read_statement(old / "plan.yaml")
    recipe = out / f"{plan.recipe.name}.yaml"
    write_atomic(recipe, dump(written).encode())
    words = ["skinframe", "run", str(recipe), *(w for file in plugins for w in ("--plugin", str(file)))]
    changed = changes_between(identity, dict(plan.identity))
    if changed:
        raise RecipeError("reproduce", [change.problem() for change in changed])
    new = run(plan, out=out, cache=cache or out / ".cache", display=display).folder
    equal, different = compared(old, new)
    ran = [_flat(folder) for folder in (old, new)]
    found = Reproduced(
        " ".join([*words, "--out", str(out)]), new, tuple(equal), tuple(different), tuple(changes_between(*ran))
    )
    if different:
        raise NotWholeError(str(found))
    return found


def compared(old: Path, new: Path) -> tuple[list[str], list[str]]:
    """Return the files that are equal, and those that differ or exist on one side only."""
    first, second = _digests(old), _digests(new)
    names = sorted(first.keys() | second.keys())
    same = [name for name in names if first.get(name) == second.get(name)]
    return same, [name for name in names if name not in same]


def _digests(folder: Path) -> dict[str, str]:
    """Return the hash of each file as the folder's own manifests state it; of the report, without date and duration."""
    with well_formed(folder):
        found = {
            name: str(entry["sha256"]) for name, entry in read_json(folder / FILES).items() if name not in NOT_COMPARED
        }
        for manifest in sorted(folder.glob("checkpoints/epoch-*/MANIFEST.json")):
            place = manifest.parent.relative_to(folder).as_posix()
            found |= {f"{place}/{name}": str(entry["sha256"]) for name, entry in read_json(manifest).items()}
        report = read_json(folder / "report.json")
        headline: Any = report.get("report", report).get("headline", {})
        for word in TIMES:
            headline.pop(word, None)
        return found | {"report.json": json.dumps(report, sort_keys=True)}


def _flat(folder: Path) -> Mapping[str, str]:
    path = folder / "environment.json"
    return flatten(read_json(path)) if path.is_file() else {}
