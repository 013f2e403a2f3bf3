"""`skinframe sweep`: values of any recipe path, with their curve."""

from __future__ import annotations

import argparse

from skinframe.verbs.commands.grid_options import grid_options, perform
from skinframe.verbs.commands.options import Verbs


def add(verbs: Verbs) -> None:
    verb = verbs.add_parser("sweep", help="give one recipe path several values, over seeds, and draw the curve")
    grid_options(verb)
    verb.add_argument(
        "--over",
        required=True,
        metavar="PATH=V1,V2,…",
        help="the path and its values; the recipe's own is the reference",
    )
    verb.set_defaults(verb=_sweep)


def _sweep(options: argparse.Namespace) -> None:
    from skinframe.grid.verbs import sweep

    perform(options, lambda base, how: sweep(base, options.over, how))
