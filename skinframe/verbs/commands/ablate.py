"""`skinframe ablate`: which parts help, over seeds and patients."""

from __future__ import annotations

import argparse

from skinframe.verbs.commands.grid_options import grid_options, perform
from skinframe.verbs.commands.options import Verbs


def add(verbs: Verbs) -> None:
    verb = verbs.add_parser("ablate", help="leave parts out, over seeds, and say which differences the data show")
    grid_options(verb)
    verb.add_argument(
        "--over",
        action="append",
        default=[],
        metavar="PART",
        help="a component, such as losses.alignment, or the value that stands for its absence, such as"
        " losses.focal.config.gamma=0 (default: every loss)",
    )
    verb.add_argument(
        "--arms", default="leave-one-out", metavar="DESIGN", help="leave-one-out, add-one, or factorial: all 2^n"
    )
    verb.add_argument(
        "--against", action="append", default=[], metavar="RECIPE", help="a further arm: another recipe, same options"
    )
    verb.set_defaults(verb=_ablate)


def _ablate(options: argparse.Namespace) -> None:
    from skinframe.grid.verbs import ablation

    perform(options, lambda base, how: ablation(base, options.over, options.arms, options.against, how))
