"""Options that `ablate`, `sweep` and `learning_curve` share, and how their grid is planned and run."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from skinframe.printable_text import say
from skinframe.verbs.command_from_signature import Default, Option, with_defaults
from skinframe.verbs.shared_options import (
    Cache,
    Metrics,
    Overrides,
    Plugins,
    Presets,
    Quiet,
    RunsFolder,
    Without,
    cache_folder,
)

if TYPE_CHECKING:
    from skinframe.grid.ablation_sweep_curve import GridSettings
    from skinframe.grid.grid import Grid
    from skinframe.grid.grid_result import GridResult
    from skinframe.grid.run_request import Request


class GridOptions(TypedDict, total=False):
    """Keyword arguments of the grid verbs: what is laid over the recipe, and how the runs are made."""

    presets: Presets
    overrides: Overrides
    without: Without
    plugins: Plugins
    seeds: Annotated[int, Option("runs per arm, with consecutive seeds from the recipe's (default: 5)"), Default(5)]
    metrics: Metrics
    before: Annotated[bool, Option("compare the probabilities before calibration")]
    explain: Annotated[bool, Option("also write rationales and heat maps in every run")]
    engine: Annotated[
        str, Option("where runs are made: local or ray (default: local)", metavar="NAME"), Default("local")
    ]
    workers: Annotated[int, Option("parallel runs (default: 0, which is cores / train.threads)"), Default(0)]
    out: Annotated[RunsFolder, Default("runs")]
    cache: Cache
    quiet: Quiet


def requested(recipe: str | Path, given: GridOptions, share: tuple[int, int]) -> tuple[Request, GridSettings]:
    """Return what names the runs of a grid, and how they are made."""
    from skinframe.grid.ablation_sweep_curve import GridSettings
    from skinframe.grid.run_request import make_request

    options = with_defaults(GridOptions, given)
    settings = GridSettings(
        seeds=options["seeds"],
        metrics=tuple(options["metrics"]),
        before=options["before"],
        explain=options["explain"],
        engine=options["engine"],
        workers=options["workers"],
        share=share,
        out=Path(options["out"]),
        cache=cache_folder(options["cache"]),
    )
    laid = (options[name] for name in ("presets", "overrides", "without", "plugins"))
    return make_request(recipe, *laid), settings


def performed(grid: Grid, settings: GridSettings, given: GridOptions) -> GridResult:
    """Make the runs of a grid and return the comparison."""
    from skinframe.grid import ablation_sweep_curve
    from skinframe.progress import Display

    result = ablation_sweep_curve.perform(grid, settings, Display(given.get("quiet", False)))
    assert result is not None  # only a share of a grid ends without a table
    return result


def grid_command(make: Callable[..., tuple[Grid, GridSettings]]) -> Callable[..., None]:
    """Return what the command line does with a grid: print its plan, run it unless told otherwise, print the result."""

    def call(
        *,
        plan: Annotated[bool, Option("print the runs and what they cost, then stop")] = False,
        table: Annotated[bool, Option("build the report from completed runs; run nothing")] = False,
        share: Annotated[
            tuple[int, int],
            Option("make every N-th run from the I-th, for array jobs (default: 1/1)", "", "I/N", _share),
        ] = (
            1,
            1,
        ),
        **options: Any,
    ) -> None:
        from skinframe.grid import ablation_sweep_curve
        from skinframe.grid.grid_plan_text import grid_text
        from skinframe.progress import Display

        grid, settings = make(share=share, **options)
        engine = ablation_sweep_curve.engine(grid, settings)
        if table:
            say(ablation_sweep_curve.table(grid))
            return
        say(grid_text(grid, engine))
        if not plan:
            result = ablation_sweep_curve.perform(grid, settings, Display(options["quiet"]))
            say("" if result is None else f"\n{result}\n{result.folder / 'grid.html'}")

    return call


def _share(text: str) -> tuple[int, int]:
    number, sign, count = text.partition("/")
    if not (sign and number.isdecimal() and count.isdecimal()):
        raise argparse.ArgumentTypeError(f"expected I/N, for example 1/8, got {text!r}")
    return int(number), int(count)
