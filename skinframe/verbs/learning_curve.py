"""`skinframe learning-curve`: training on nested shares of the data."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Unpack

from skinframe.verbs.command_from_signature import Command, Option
from skinframe.verbs.grid_options import GridOptions, grid_command, performed, requested
from skinframe.verbs.shared_options import RecipeFile

if TYPE_CHECKING:
    from skinframe.grid.ablation_sweep_curve import GridSettings
    from skinframe.grid.grid import Grid
    from skinframe.grid.grid_result import GridResult


def _fractions(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(word) for word in text.split(","))
    except ValueError:
        what = f"expected numbers separated by commas, for example 0.12,0.5,1, got {text!r}"
        raise argparse.ArgumentTypeError(what) from None


def learning_curve(
    recipe: RecipeFile,
    fractions: Annotated[
        Sequence[float], Option("shares of the training images in (0, 1]", "--fractions", "F1,F2,…", _fractions)
    ],
    **options: Unpack[GridOptions],
) -> GridResult:
    """Train on nested shares of the training images, over seeds; return the comparison with its curve.

    Raises as `ablate` does.
    """
    return performed(*_grid(recipe, fractions, **options), options)


def _grid(
    recipe: str | Path, fractions: Sequence[float], share: tuple[int, int] = (1, 1), **options: Unpack[GridOptions]
) -> tuple[Grid, GridSettings]:
    from skinframe.grid.ablation_sweep_curve import learning_curve as curve_grid

    request, settings = requested(recipe, options, share)
    return curve_grid(request, fractions, settings), settings


COMMAND = Command(
    "learning-curve",
    learning_curve,
    "train on nested shares of the data, over seeds, and draw the curve",
    grid_command(_grid),
)
