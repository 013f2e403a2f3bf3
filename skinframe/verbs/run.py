"""`skinframe run`: from a recipe to its report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from skinframe.verbs.command_from_signature import Command, Option
from skinframe.verbs.shared_options import (
    Cache,
    Overrides,
    Plugins,
    Presets,
    Quiet,
    RecipeFile,
    RunsFolder,
    Without,
    cache_folder,
)

if TYPE_CHECKING:
    from skinframe.reporting.run_result import RunResult


def run(
    recipe: RecipeFile,
    *,
    presets: Presets = (),
    overrides: Overrides = (),
    without: Without = (),
    plugins: Plugins = (),
    out: RunsFolder = "runs",
    cache: Cache = None,
    resume: Annotated[bool, Option("continue from the newest valid checkpoint")] = False,
    allow_change: Annotated[
        Sequence[str], Option("resume although this key differs; the report notes it; repeatable", metavar="KEY")
    ] = (),
    engine: Annotated[str, Option("where missing features are extracted: local or ray", metavar="NAME")] = "local",
    quiet: Quiet = False,
) -> RunResult:
    """Run a recipe to its report and return the result, which displays itself in a notebook.

    Raises the errors of `skinframe.errors`.
    """
    from skinframe.grid.run_request import make_request
    from skinframe.planning.load_plan import refuse_missing

    request = make_request(recipe, presets, overrides, without, plugins)
    plan = request.plan()
    refuse_missing(plan)
    from skinframe.grid.engines.engine_base import spread_of
    from skinframe.progress import Display
    from skinframe.running.run_recipe import run as run_plan

    return run_plan(
        plan,
        out=Path(out),
        cache=cache_folder(cache) or Path(out) / ".cache",
        resume=resume,
        allow=allow_change,
        display=Display(quiet),
        spread=spread_of(engine, request, threads=plan.recipe.train.threads),
    )


COMMAND = Command("run", run, "run a recipe to its report")
