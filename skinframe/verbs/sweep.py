"""`skinframe sweep`: several values of one recipe path, with their curve."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Unpack

from skinframe.verbs.command_from_signature import Command, Option
from skinframe.verbs.grid_options import GridOptions, grid_command, performed, requested
from skinframe.verbs.shared_options import RecipeFile

if TYPE_CHECKING:
    from skinframe.grid.ablation_sweep_curve import GridSettings
    from skinframe.grid.grid import Grid
    from skinframe.grid.grid_result import GridResult


def sweep(
    recipe: RecipeFile,
    over: Annotated[
        str, Option("the path and its values; the recipe's own value is the reference", "--over", "PATH=V1,V2,…")
    ],
    **options: Unpack[GridOptions],
) -> GridResult:
    """Run one recipe path with several values, 'path=v1,v2,…', over seeds; return the comparison with its curve.

    Raises as `ablate` does.
    """
    return performed(*_grid(recipe, over, **options), options)


def _grid(
    recipe: str | Path, over: str, share: tuple[int, int] = (1, 1), **options: Unpack[GridOptions]
) -> tuple[Grid, GridSettings]:
    from skinframe.grid.ablation_sweep_curve import sweep as sweep_grid

    request, settings = requested(recipe, options, share)
    return sweep_grid(request, over, settings), settings


COMMAND = Command("sweep", sweep, "vary one value of the recipe, over seeds, and draw the curve", grid_command(_grid))
