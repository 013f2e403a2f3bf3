"""Many runs that answer one question: which parts help, which value, how much data.

Each function imports what it needs when it is called.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skinframe.grid.grid import Grid
    from skinframe.grid.report import GridResult
    from skinframe.grid.verbs import How

Paths = Sequence[str | Path]


def ablate(
    recipe: str | Path,
    *,
    over: Sequence[str] = (),
    arms: str = "leave-one-out",
    against: Paths = (),
    seeds: int = 5,
    metrics: Sequence[str] = (),
    presets: Sequence[str] = (),
    overrides: Sequence[str] = (),
    without: Sequence[str] = (),
    plugins: Paths = (),
    before: bool = False,
    explain: bool = False,
    engine: str = "local",
    workers: int = 0,
    out: str | Path = "runs",
    cache: str | Path | None = None,
    quiet: bool = False,
) -> GridResult:
    """Leave parts of a recipe out, over seeds, and return the comparison. Finished runs are not repeated.

    The arguments are those of `skinframe ablate`. Raises MissingRunsError where runs failed, and the errors of
    `skinframe.errors`.
    """
    from skinframe.grid.request import asked
    from skinframe.grid.verbs import ablation

    base, how = (
        asked(recipe, presets, overrides, without, plugins),
        _how(seeds, metrics, before, explain, engine, workers, out, cache),
    )
    return _performed(ablation(base, over, arms, [str(one) for one in against], how), how, quiet)


def sweep(
    recipe: str | Path,
    over: str,
    *,
    seeds: int = 5,
    metrics: Sequence[str] = (),
    presets: Sequence[str] = (),
    overrides: Sequence[str] = (),
    without: Sequence[str] = (),
    plugins: Paths = (),
    before: bool = False,
    explain: bool = False,
    engine: str = "local",
    workers: int = 0,
    out: str | Path = "runs",
    cache: str | Path | None = None,
    quiet: bool = False,
) -> GridResult:
    """Give one path several values, 'path=v1,v2,…', over seeds, and return the comparison with its curve.

    The arguments are those of `skinframe sweep`. Raises as `ablate` does.
    """
    from skinframe.grid.request import asked
    from skinframe.grid.verbs import sweep as planned

    base, how = (
        asked(recipe, presets, overrides, without, plugins),
        _how(seeds, metrics, before, explain, engine, workers, out, cache),
    )
    return _performed(planned(base, over, how), how, quiet)


def learning_curve(
    recipe: str | Path,
    fractions: Sequence[float],
    *,
    seeds: int = 5,
    metrics: Sequence[str] = (),
    presets: Sequence[str] = (),
    overrides: Sequence[str] = (),
    without: Sequence[str] = (),
    plugins: Paths = (),
    before: bool = False,
    explain: bool = False,
    engine: str = "local",
    workers: int = 0,
    out: str | Path = "runs",
    cache: str | Path | None = None,
    quiet: bool = False,
) -> GridResult:
    """Train on nested shares of the training images, over seeds, and return the comparison with its curve.

    The arguments are those of `skinframe learning-curve`. Raises as `ablate` does.
    """
    from skinframe.grid.request import asked
    from skinframe.grid.verbs import learning_curve as planned

    base, how = (
        asked(recipe, presets, overrides, without, plugins),
        _how(seeds, metrics, before, explain, engine, workers, out, cache),
    )
    return _performed(planned(base, fractions, how), how, quiet)


def _how(
    seeds: int,
    metrics: Sequence[str],
    before: bool,
    explain: bool,
    engine: str,
    workers: int,
    out: str | Path,
    cache: str | Path | None,
) -> How:
    from skinframe.grid.verbs import How

    return How(
        seeds=seeds,
        metrics=tuple(metrics),
        before=before,
        explain=explain,
        engine=engine,
        workers=workers,
        out=Path(out),
        cache=None if cache is None else Path(cache),
    )


def _performed(grid: Grid, how: How, quiet: bool) -> GridResult:
    from skinframe.grid import verbs
    from skinframe.progress import Display

    result = verbs.perform(grid, how, Display(quiet))
    assert result is not None  # only a share of a grid ends without a table
    return result
