"""The report of a grid as a typed value, and the three files written from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from skinframe.grid.ablation_arms import Arm
from skinframe.grid.contrasts import against, is_factorial, main_effects
from skinframe.grid.grid import Grid, minutes
from skinframe.grid.grid_comparison import ComparedRuns, compare_grid
from skinframe.reporting.grid_page import markdown, write_grid
from skinframe.reporting.grid_report import GridArm, GridReport
from skinframe.reporting.report_files import read_report
from skinframe.version import __version__


@dataclass(frozen=True)
class GridResult:
    """A finished grid: its folder and report; `str()` is the report as Markdown."""

    folder: Path
    report: GridReport

    def __str__(self) -> str:
        return markdown(self.report)

    def _repr_markdown_(self) -> str:
        return markdown(self.report)


def write_grid_report(grid: Grid) -> GridResult:
    """Compare the runs and write grid.json, grid.html and grid.md to the grid's folder. Raises DataError, DiskError."""
    report = _report(grid, compare_grid(grid))
    write_grid(report, grid.folder)
    return GridResult(grid.folder, report)


def _report(grid: Grid, judged: ComparedRuns) -> GridReport:
    head = read_report(grid.items[0].folder).headline
    recipe = grid.main.recipe
    whole = grid.plans[max(grid.arms, key=lambda arm: len(arm.on)).name].recipe  # what its parts were taken from
    parts = tuple(dict.fromkeys(part for arm in grid.arms for part in arm.on))
    effects = main_effects(grid.arms, parts) if is_factorial(grid.arms) else []
    return GridReport(
        kind=grid.kind,
        name=f"{whole.title or whole.name} on {recipe.data.use}",
        scale=recipe.scale,
        device=", ".join(_devices(grid)),
        date=datetime.now(UTC).date().isoformat(),
        version=__version__,
        seeds=grid.seeds,
        split_seed=recipe.division_seed,
        n_test=judged.samples,
        groups_test=judged.groups,
        group_level=head.group_level,
        level=judged.level,
        reference=grid.reference,
        arms=tuple(_arm(grid, arm) for arm in grid.arms),
        metrics=judged.infos,
        figures=tuple(judged.figure(metric, arm.name) for metric in judged.found for arm in grid.arms),
        differences=judged.paired(against(grid.arms, grid.reference)),
        effects=judged.paired(effects),
        axis=grid.axis,
        minutes=sum(filter(None, map(minutes, grid.items))),
        warnings=_warnings(grid),
        notes=(AFTER if not grid.before else BEFORE, *NOTES),
    )


AFTER = "Probabilities are calibrated, each run by its own calibrator; --before compares them before calibration."
BEFORE = "Probabilities are those before calibration."
NOTES = (
    "Figures are means over seeds on the same test images. Intervals resample seeds, then patients.",
    "A difference counts as shown only if its interval excludes 0 and its p-value, Holm-corrected for all"
    " differences of its table, is below 0.05. 'Not shown' does not mean that there is no difference.",
    "All seeds share one split: another split of the data may order the arms differently.",
)


def _arm(grid: Grid, arm: Arm) -> GridArm:
    return GridArm(
        name=arm.name,
        dropped=tuple(map(str, grid.plans[arm.name].graph.dropped)),
        settings=differs(grid, arm.name),
        runs=tuple(item.name for item in grid.items if item.arm == arm.name),
        at=arm.at,
    )


def differs(grid: Grid, arm: str) -> tuple[str, ...]:
    """Return where an arm's plan differs from the reference's, component by component."""
    mine, base = grid.plans[arm].identity, grid.main.identity
    return tuple(
        f"{key}: {mine[key]}" for key in sorted(mine) if key in base and mine[key] != base[key] and key != "name"
    )


def _devices(grid: Grid) -> Sequence[str]:
    return list(dict.fromkeys(read_report(item.folder).headline.device for item in grid.items))


def _warnings(grid: Grid) -> tuple[str, ...]:
    devices, warnings = _devices(grid), []
    if len(grid.seeds) < 5:
        warnings.append(
            f"{len(grid.seeds)} seed{'s' * (len(grid.seeds) > 1)}: fewer than 5 say little about the"
            " variance over seeds; use ten for a claim"
        )
    if len(devices) > 1:
        warnings.append(f"the runs were made on different devices ({'; '.join(devices)}), whose rounding differs")
    return tuple(warnings)
