"""Plans and runs ablations, sweeps and learning curves, each a grid of runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from skinframe.errors import DataError, DiskError, MissingRunsError, Problem, RecipeError, did_you_mean
from skinframe.finished.rewrite_and_compare import COMPARED
from skinframe.grid.ablation_arms import DESIGNS, WHOLE, Arm, fractions, others, switch_of, values
from skinframe.grid.engines.engine_base import Engine, engine_of
from skinframe.grid.grid import Grid, Kind, make_grid, state
from skinframe.grid.grid_comparison import metrics_of
from skinframe.grid.grid_result import GridResult, write_grid_report
from skinframe.grid.run_item import ItemResult
from skinframe.grid.run_request import Request, RunItem
from skinframe.planning.load_plan import refuse_missing
from skinframe.progress import Display

SHOWN = 8  # missing runs that a message names


@dataclass(frozen=True, kw_only=True)
class GridSettings:
    """How a grid is run: seeds per arm, further metrics, the engine; `share` (i, n) makes every n-th run only."""

    seeds: int = 5
    metrics: tuple[str, ...] = ()
    before: bool = False
    explain: bool = False
    engine: str = "local"
    workers: int = 0
    share: tuple[int, int] = (1, 1)
    out: Path = Path("runs")
    cache: Path | None = None

    def __post_init__(self) -> None:
        number, count = self.share
        if not 1 <= number <= count:
            raise RecipeError("--share", [Problem(f"{number}/{count}", "must be I/N with I from 1 to N")])


def ablation(base: Request, over: Sequence[str], design: str, against: Sequence[str], settings: GridSettings) -> Grid:
    """Return the grid of an ablation: `over` names components or PATH=VALUE, `against` other recipes.

    Raises RecipeError with every problem at once.
    """
    if design not in DESIGNS:
        raise RecipeError("--arms", [Problem(design, f"no such design{did_you_mean(design, DESIGNS)}")])
    plan = base.plan()
    names = list(over) or (
        [] if against else [f"losses.{name}" for name, part in plan.recipe.losses.items() if part.enabled]
    )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise RecipeError(base.recipe, [Problem(f"--over {name}", "appears twice") for name in twice])
    arms = DESIGNS[design](base, [switch_of(name) for name in names]) if names else [Arm(name=WHOLE, request=base)]
    arms += others(base, against)
    return _grid("ablation", arms, arms[0].name, settings)


def sweep(base: Request, over: str, settings: GridSettings) -> Grid:
    """Return the grid of a path's values, 'path=v1,v2,…'. The recipe's own value is the reference if it is one of them.

    Raises RecipeError with every problem at once.
    """
    path, sign, text = over.partition("=")
    texts = listed(text)
    if not sign or len(texts) < 2:
        what = "expected PATH=VALUE,VALUE,…, for example losses.calibration.weight=0,0.1,1"
        raise RecipeError(base.recipe, [Problem(f"--over {over}", what)])
    arms = values(base, path, texts)
    own = base.plan().fingerprint
    same = [arm.name for arm in arms if arm.request.plan().fingerprint == own]
    return _grid("sweep", arms, same[0] if same else arms[0].name, settings, path)


def learning_curve(base: Request, shares: Sequence[float], settings: GridSettings) -> Grid:
    """Return the grid of nested shares of the training images; the largest is the reference. Raises RecipeError."""
    wrong = [share for share in shares if not 0 < share <= 1]
    if wrong or len(set(shares)) < 2 or len(set(shares)) < len(shares):
        what = "expected at least two different shares in (0, 1], for example 0.12,0.25,0.5,1"
        raise RecipeError(base.recipe, [Problem(f"--fractions {','.join(f'{s:g}' for s in shares)}", what)])
    arms = fractions(base, shares)
    return _grid("learning curve", arms, arms[0].name, settings, "share of the training images")


def _grid(kind: Kind, arms: Sequence[Arm], reference: str, settings: GridSettings, axis: str = "") -> Grid:
    if len(arms) < 2:
        what = "has nothing to compare; name components with --over, or another recipe with --against"
        raise RecipeError(arms[0].request.recipe, [Problem(kind, what)])
    grid = make_grid(
        kind,
        arms,
        reference,
        seeds=settings.seeds,
        metrics=tuple(dict.fromkeys((*COMPARED, *settings.metrics))),
        out=settings.out,
        cache=settings.cache or settings.out / ".cache",
        axis=axis,
        before=settings.before,
        explain=settings.explain,
    )
    metrics_of(grid)
    return grid


def engine(grid: Grid, settings: GridSettings) -> Engine:
    """Return the engine that the grid is run on. Raises RecipeError."""
    threads = grid.main.recipe.train.threads
    return engine_of(settings.engine, workers=settings.workers, threads=threads, logs=grid.folder / "logs")


def perform(grid: Grid, settings: GridSettings, display: Display) -> GridResult | None:
    """Make every missing run, then compare all; return None if this share is complete and other shares are not.

    Raises MissingRunsError if runs failed, and the errors of `skinframe.errors`.
    """
    for plan in grid.plans.values():
        refuse_missing(plan)
    _run_items(grid, _own(grid, settings), engine(grid, settings), display)
    if settings.share[1] > 1 and any(state(item) != "done" for item in grid.items):
        number, count = settings.share
        display.say(f"share {number}/{count} is done; when all shares are, build the report with --table")
        return None
    return table(grid)


def table(grid: Grid) -> GridResult:
    """Compare completed runs. Raises DataError naming those that are missing."""
    _refuse_missing_runs(grid)
    return write_grid_report(grid)


def _own(grid: Grid, settings: GridSettings) -> Sequence[RunItem]:
    number, count = settings.share
    return grid.items[number - 1 :: count]


def _run_items(grid: Grid, items: Sequence[RunItem], engine: Engine, display: Display) -> None:
    """Make the missing runs. Raises MissingRunsError naming each run that failed; the others are kept.

    A full disk ends the grid at once: every further run would fail too.
    """
    todo = [item for item in items if state(item) != "done"]
    failed: list[ItemResult] = []
    ready = f"{len(items) - len(todo)} of {len(items)} runs are complete"
    display.say(
        f"{ready}; a line follows as each of the other {len(todo)} ends, its own log is in {grid.folder / 'logs'}"
    )
    outcomes = engine.submit(todo)
    for count, outcome in enumerate(outcomes, 1):
        ending = f"done in {outcome.seconds:.0f} s" if not outcome.code else f"failed, exit code {outcome.code}"
        display.say(f"{count}/{len(todo)} {outcome.item.label}: {ending} · {outcome.item.name}")
        if outcome.code:
            failed.append(outcome)
        if outcome.code == DiskError.exit_code:
            outcomes.close()  # type: ignore[attr-defined]
            break
    if failed:
        raise MissingRunsError(_failures(grid, failed), failed[0].code)


def _refuse_missing_runs(grid: Grid) -> None:
    """Raise DataError while a run is missing: the comparison is paired by seed and needs every run."""
    missing = [item for item in grid.items if state(item) != "done"]
    if missing:
        names = "; ".join(item.label for item in missing[:SHOWN])
        more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
        what = f"{len(missing)} of {len(grid.items)} runs are missing, so there is no comparison"
        raise DataError(f"{grid.out}: {what}: {names}{more}; rerun without --table to make them")


def _failures(grid: Grid, failed: Sequence[ItemResult]) -> str:
    lines = [f"{len(failed)} of {len(grid.items)} runs failed, so there is no comparison; finished runs are kept:"]
    for outcome in failed[:SHOWN]:
        lines.append(f"  {outcome.item.label}: {outcome.message.strip()}".replace("\n", "\n    "))
    if len(failed) > SHOWN:
        lines.append(f"  and {len(failed) - SHOWN} more")
    return "\n".join([*lines, "fix the error and rerun; finished runs are skipped"])


def listed(text: str) -> list[str]:
    """Split at commas outside brackets: '[1,2],[3]' is two values."""
    items, depth, word = [], 0, ""
    for letter in text:
        depth += (letter in "[{") - (letter in "]}")
        if letter == "," and not depth:
            items.append(word.strip())
            word = ""
        else:
            word += letter
    return [*items, word.strip()] if word.strip() else items
