"""`skinframe run`: from a recipe to its report."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from skinframe.verbs.commands.options import CACHE, Verbs, recipe_options, requested


def add(verbs: Verbs) -> None:
    run = verbs.add_parser("run", help="run a recipe to its report")
    recipe_options(run)
    run.add_argument("--out", type=Path, default=Path("runs"), help="where run folders go (default: runs)")
    run.add_argument("--cache", type=Path, help=f"feature cache (default: OUT/.cache, or ${CACHE})")
    run.add_argument("--resume", action="store_true", help="continue from the newest verified checkpoint")
    run.add_argument(
        "--allow-change", action="append", default=[], metavar="KEY", help="resume though this key differs; noted"
    )
    run.add_argument(
        "--engine", default="local", metavar="NAME", help="where missing features are extracted: local or ray"
    )
    run.set_defaults(verb=_run)


def _run(options: argparse.Namespace) -> None:
    from skinframe.planning.load_plan import refuse_missing

    request = requested(options)
    plan = request.plan()
    refuse_missing(plan)
    from skinframe.grid.engines.base import spread_of
    from skinframe.running.run_recipe import run

    cache = options.cache or Path(os.environ.get(CACHE) or options.out / ".cache")
    spread = spread_of(options.engine, request, threads=plan.recipe.train.threads)
    print(run(plan, out=options.out, cache=cache, resume=options.resume, allow=options.allow_change, spread=spread))
