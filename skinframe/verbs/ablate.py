"""`skinframe ablate`: which parts of a recipe help, over seeds and patients."""

from __future__ import annotations

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


def ablate(
    recipe: RecipeFile,
    *,
    over: Annotated[
        Sequence[str],
        Option(
            "component to leave out, such as losses.alignment, or the value that switches it off, such as"
            " losses.focal.config.gamma=0; repeatable (default: every loss)",
            metavar="PART",
        ),
    ] = (),
    arms: Annotated[
        str, Option("leave-one-out, add-one, or factorial: all 2^n combinations", metavar="DESIGN")
    ] = "leave-one-out",
    against: Annotated[
        Sequence[str | Path], Option("another recipe as a further arm, same options; repeatable", metavar="RECIPE")
    ] = (),
    **options: Unpack[GridOptions],
) -> GridResult:
    """Leave parts of a recipe out, over seeds, and return the comparison. Completed runs are not repeated.

    Raises MissingRunsError where runs failed, and the errors of `skinframe.errors`.
    """
    return performed(*_grid(recipe, over, arms, against, **options), options)


def _grid(
    recipe: str | Path,
    over: Sequence[str],
    arms: str,
    against: Sequence[str | Path],
    share: tuple[int, int] = (1, 1),
    **options: Unpack[GridOptions],
) -> tuple[Grid, GridSettings]:
    from skinframe.grid.ablation_sweep_curve import ablation

    request, settings = requested(recipe, options, share)
    return ablation(request, over, arms, [str(other) for other in against], settings), settings


COMMAND = Command(
    "ablate", ablate, "leave parts out, over seeds, and test which differences are real", grid_command(_grid)
)
