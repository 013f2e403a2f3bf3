"""A grid: arms times seeds, each run planned, named by its fingerprint, and complete, started or pending."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from skinframe.errors import Problem, RecipeError
from skinframe.grid.ablation_arms import Arm
from skinframe.grid.run_request import RunItem, digest
from skinframe.planning import Plan
from skinframe.planning.plan import reseeded
from skinframe.running.resume_changes import training_changes
from skinframe.running.verify_files import FILES
from skinframe.untrusted_files import UnreadableError, read_object, well_formed

Kind = Literal["ablation", "sweep", "learning curve"]
LIGHT = ("evaluate.explain=false", "evaluate.probes=false")  # what no figure of the comparison needs


@dataclass(frozen=True, kw_only=True)
class Grid:
    """All runs of a question. `plans` holds the plan of each arm's first seed; `items` go by arm, then seed."""

    kind: Kind
    arms: tuple[Arm, ...]
    seeds: tuple[int, ...]
    reference: str  # the arm that every other is compared with
    plans: Mapping[str, Plan]
    items: tuple[RunItem, ...]
    metrics: tuple[str, ...]
    axis: str = ""  # what `at` of the arms counts
    before: bool = False  # compare the probabilities before calibration
    out: Path = Path("runs")

    @property
    def main(self) -> Plan:
        return self.plans[self.reference]

    @property
    def folder(self) -> Path:
        """Where the report goes: the name follows from the runs, so the same question has the same place."""
        asked = [*(item.name for item in self.items), *(["before"] if self.before else [])]
        name = f"{self.kind.replace(' ', '-')}-{self.main.recipe.name}-{digest(asked)}"
        return self.out / name


def make_grid(
    kind: Kind,
    arms: Sequence[Arm],
    reference: str,
    *,
    seeds: int,
    metrics: Sequence[str],
    out: Path,
    cache: Path,
    axis: str = "",
    before: bool = False,
    explain: bool = False,
) -> Grid:
    """Plan every run, on one split. Raises RecipeError with the problems of all arms at once."""
    if seeds < 1:
        raise RecipeError(arms[0].request.recipe, [Problem("--seeds", f"must be at least 1, got {seeds}")])
    light = () if explain else LIGHT
    plans: dict[str, Plan] = {}
    items: list[RunItem] = []
    problems: list[Problem] = []
    division, numbers = 0, range(seeds)
    for arm in arms:
        try:
            plan = arm.request.also(light).plan()
        except RecipeError as error:
            problems += [Problem(f"{arm.name}: {problem.where}", problem.what) for problem in error.problems]
            continue
        if not plans:
            division = plan.recipe.division_seed
            numbers = range(plan.recipe.seed, plan.recipe.seed + seeds)
        plans[arm.name] = plan = reseeded(plan, division=division)
        items += [_item(arm, plan, seed, (*light, f"split.seed={division}"), out, cache) for seed in numbers]
    problems += _twins(items)
    if problems:
        raise RecipeError(arms[0].request.recipe, problems)
    return Grid(
        kind=kind,
        arms=tuple(arms),
        seeds=tuple(numbers),
        reference=reference,
        plans=plans,
        items=tuple(items),
        metrics=tuple(metrics),
        axis=axis,
        before=before,
        out=out,
    )


def _item(arm: Arm, plan: Plan, seed: int, overrides: Sequence[str], out: Path, cache: Path) -> RunItem:
    request = arm.request.also([*overrides, f"seed={seed}"])
    name = reseeded(plan, seed=seed).run_name
    return RunItem(arm=arm.name, seed=seed, request=request, name=name, out=str(out), cache=str(cache))


def _twins(items: Sequence[RunItem]) -> list[Problem]:
    """Two arms that are the same run would be compared with themselves."""
    first: dict[str, str] = {}
    problems = {}
    for item in items:
        other = first.setdefault(item.name, item.arm)
        if other != item.arm:
            problems[item.arm] = Problem(item.arm, f"is the same run as '{other}'; remove one of the two")
    return list(problems.values())


def state(item: RunItem) -> Literal["done", "begun", "to do"]:
    """Return how far a run is. It is done once the hashes of its files are written, the last step of a run.

    Raises RecipeError for a run that was resumed with other values: it is not the run that the grid asks for.
    """
    changes = training_changes(item.folder)
    if changes:
        keys = ", ".join(dict.fromkeys(change["key"] for change in changes))
        what = f"was resumed with another {keys}, so it is not a run of this recipe; move it away to run it again"
        raise RecipeError(item.name, [Problem(str(item.folder), what)])
    if (item.folder / FILES).is_file():
        return "done"
    return "begun" if any(item.folder.glob("checkpoints/*")) else "to do"


def minutes(item: RunItem) -> float | None:
    """Return the duration that a finished run reports, in minutes; None if it reports none."""
    try:
        with well_formed(item.folder):
            return float(read_object(item.folder / "report.json")["headline"]["duration"].split()[0])
    except UnreadableError:
        return None
