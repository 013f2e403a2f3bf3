"""What the verbs of a grid share: seeds, metrics, where it is done, and the plan before it starts."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from skinframe.verbs.commands.options import CACHE, recipe_options, requested

if TYPE_CHECKING:
    from skinframe.grid.grid import Grid
    from skinframe.grid.request import Request
    from skinframe.grid.verbs import How


def grid_options(verb: argparse.ArgumentParser) -> None:
    """Add a recipe and how the grid is run."""
    recipe_options(verb)
    verb.add_argument("--seeds", type=int, default=5, help="runs an arm, from the recipe's seed on (default: 5)")
    verb.add_argument(
        "--metric", action="append", default=[], metavar="NAME", help="compare in a further metric, by name"
    )
    verb.add_argument("--before", action="store_true", help="compare probabilities before each run's calibrator")
    verb.add_argument("--explain", action="store_true", help="write rationales and heat maps in every run, too")
    verb.add_argument("--plan", action="store_true", help="print what would be run and what it costs, and end")
    verb.add_argument("--table", action="store_true", help="run nothing: make the report of runs that all stand")
    verb.add_argument("--engine", default="local", metavar="NAME", help="where runs are made: local or ray")
    verb.add_argument("--workers", type=int, default=0, help="runs at a time (default: cores / train.threads)")
    verb.add_argument(
        "--share", type=_share, default=(1, 1), metavar="I/N", help="make every N-th run only, for array jobs"
    )
    verb.add_argument("--out", type=Path, default=Path("runs"), help="where run folders go (default: runs)")
    verb.add_argument("--cache", type=Path, help=f"feature cache (default: OUT/.cache, or ${CACHE})")


def perform(options: argparse.Namespace, make: Callable[[Request, How], Grid]) -> None:
    """Plan the grid, print the plan, run it unless only the plan or the table is wanted, print the report."""
    from skinframe.grid import verbs
    from skinframe.progress import Display

    how = verbs.How(
        seeds=options.seeds,
        metrics=tuple(options.metric),
        before=options.before,
        explain=options.explain,
        engine=options.engine,
        workers=options.workers,
        share=options.share,
        out=options.out,
        cache=options.cache or (Path(os.environ[CACHE]) if os.environ.get(CACHE) else None),
    )
    grid = make(requested(options), how)
    engine = verbs.engine(grid, how)
    from skinframe.grid.show import grid_text

    if options.table:
        print(verbs.table(grid))
        return
    print(grid_text(grid, engine), flush=True)
    if not options.plan:
        result = verbs.perform(grid, how, Display())
        print("" if result is None else f"\n{result}\n{result.folder / 'grid.html'}")


def _share(text: str) -> tuple[int, int]:
    number, sign, count = text.partition("/")
    if not (sign and number.isdecimal() and count.isdecimal()):
        raise argparse.ArgumentTypeError(f"expected I/N, for example 1/8, got {text!r}")
    return int(number), int(count)
