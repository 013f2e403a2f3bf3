"""Run, plan and prove a run.

Each function imports what it needs when it is called.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skinframe.finished.reproduce_run import Reproduced
    from skinframe.planning import Plan
    from skinframe.reporting.run_result import RunResult
    from skinframe.running.selftest_trials import SelfTest
    from skinframe.running.verify_files import Verified

Paths = Sequence[str | Path]


def run(
    recipe: str | Path,
    *,
    presets: Sequence[str] = (),
    overrides: Sequence[str] = (),
    without: Sequence[str] = (),
    plugins: Paths = (),
    out: str | Path = "runs",
    cache: str | Path | None = None,
    resume: bool = False,
    allow_change: Sequence[str] = (),
    engine: str = "local",
    quiet: bool = False,
) -> RunResult:
    """Run a recipe to its report and return the result, which shows itself in a notebook.

    The arguments are those of `skinframe run`. Raises the errors of `skinframe.errors`.
    """
    from skinframe.grid.request import asked
    from skinframe.planning.load_plan import refuse_missing

    request = asked(recipe, presets, overrides, without, plugins)
    made = request.plan()
    refuse_missing(made)
    from skinframe.grid.engines.base import spread_of
    from skinframe.progress import Display
    from skinframe.running.run_recipe import run as walk

    folder = Path(out)
    return walk(
        made,
        out=folder,
        cache=Path(cache or folder / ".cache"),
        resume=resume,
        allow=allow_change,
        display=Display(quiet),
        spread=spread_of(engine, request, threads=made.recipe.train.threads),
    )


def plan(
    recipe: str | Path,
    *,
    presets: Sequence[str] = (),
    overrides: Sequence[str] = (),
    without: Sequence[str] = (),
    plugins: Paths = (),
) -> Plan:
    """Return the plan of a recipe; loads no weights. Raises RecipeError with every problem at once."""
    from skinframe.planning.load_plan import plan_of

    return plan_of(recipe, presets, overrides, without, plugins)


def verify(place: str | Path) -> Verified:
    """Check every hash of a run, checkpoint or feature cache. Raises NotWholeError naming what is damaged."""
    from skinframe.running.verify_files import verify as read_back

    return read_back(Path(place))


def reproduce(
    run: str | Path,
    *,
    out: str | Path | None = None,
    cache: str | Path | None = None,
    plugins: Paths = (),
    quiet: bool = False,
) -> Reproduced:
    """Make a finished run again and compare every file. Raises NotWholeError where one differs, RecipeError."""
    from skinframe.finished.reproduce_run import reproduce as again
    from skinframe.progress import Display

    folder, kept = (Path(place) if place is not None else None for place in (out, cache))
    return again(Path(run), folder, kept, [Path(file) for file in plugins], Display(quiet))


def selftest() -> SelfTest:
    """Train on synthetic lesions with planted faults and say whether each was found; about a minute of one core."""
    from skinframe.running.selftest_trials import selftest as planted

    return planted()
