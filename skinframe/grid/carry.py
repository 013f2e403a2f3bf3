"""A grid from its plan to its runs, and no table while one of them is missing."""

from __future__ import annotations

from collections.abc import Sequence

from skinframe.errors import DataError, DiskError, MissingRunsError
from skinframe.grid.engines.base import Engine
from skinframe.grid.grid import Grid, state
from skinframe.grid.request import Item
from skinframe.grid.work import Outcome
from skinframe.progress import Display

SHOWN = 8  # missing runs that a message names


def carry_out(grid: Grid, items: Sequence[Item], engine: Engine, display: Display) -> None:
    """Do what is not done. Raises MissingRunsError naming each run that failed; the others stand.

    A full disk ends the grid at once: every further run would fail alike.
    """
    todo = [item for item in items if state(item) != "done"]
    failed: list[Outcome] = []
    outcomes = engine.submit(todo)
    for count, outcome in enumerate(outcomes, 1):
        ending = f"done in {outcome.seconds:.0f} s" if not outcome.code else f"failed, exit code {outcome.code}"
        display.say(f"{count}/{len(todo)} {outcome.item.label}: {ending} · {outcome.item.name}")
        if outcome.code:
            failed.append(outcome)
        if outcome.code == DiskError.exit_code:
            outcomes.close()  # type: ignore[attr-defined]
            break
    if failed:
        raise MissingRunsError(_failures(grid, failed), failed[0].code)


def refuse_missing_runs(grid: Grid) -> None:
    """Raise DataError while a run is missing: a table with holes would compare what was never paired."""
    missing = [item for item in grid.items if state(item) != "done"]
    if missing:
        names = "; ".join(item.label for item in missing[:SHOWN])
        more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
        what = f"{len(missing)} of {len(grid.items)} runs are missing, so there is no table"
        raise DataError(f"{grid.out}: {what}: {names}{more}; start the same command without --table to make them")


def _failures(grid: Grid, failed: Sequence[Outcome]) -> str:
    lines = [f"{len(failed)} of {len(grid.items)} runs failed, so there is no table; finished runs are kept:"]
    for outcome in failed[:SHOWN]:
        lines.append(f"  {outcome.item.label}: {outcome.message.strip()}".replace("\n", "\n    "))
    if len(failed) > SHOWN:
        lines.append(f"  and {len(failed) - SHOWN} more")
    return "\n".join([*lines, "mend the cause and start the same command again: no finished run is repeated"])
