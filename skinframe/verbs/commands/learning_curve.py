"""`skinframe learning-curve`: nested shares of the training data."""

from __future__ import annotations

import argparse

from skinframe.verbs.commands.grid_options import grid_options, perform
from skinframe.verbs.commands.options import Verbs


def add(verbs: Verbs) -> None:
    verb = verbs.add_parser("learning-curve", help="train on nested shares of the data, over seeds, and draw the curve")
    grid_options(verb)
    verb.add_argument(
        "--fractions", type=_shares, required=True, metavar="F1,F2,…", help="shares of the training images in (0, 1]"
    )
    verb.set_defaults(verb=_curve)


def _shares(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(word) for word in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"expected numbers with commas, for example 0.12,0.5,1, got {text!r}"
        ) from None


def _curve(options: argparse.Namespace) -> None:
    from skinframe.grid.verbs import learning_curve

    perform(options, lambda base, how: learning_curve(base, options.fractions, how))
