"""What a comparison of a grid holds, and the only sentences that it says of a difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from skinframe.reporting import formatting
from skinframe.reporting.report_values import Estimate, MetricInfo, Number

ALPHA = 0.05
FEWEST = 2  # seeds without which nothing is said of a difference


@dataclass(frozen=True, kw_only=True)
class GridArm:
    """One variant: what its plan dropped, what was set for it, its run folders by seed, its place on the axis."""

    name: str
    dropped: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    at: Number = None


@dataclass(frozen=True, kw_only=True)
class Figure:
    """An arm's metric: the mean over seeds with its interval, the spread over seeds, each seed's value."""

    arm: str
    metric: str
    estimate: Estimate
    sd: Number = None
    values: tuple[Number, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Paired:
    """`first` minus `second`, paired by seed and by patient; `adjusted` is p after Holm's correction."""

    first: str
    second: str
    metric: str
    estimate: Estimate
    sd: Number = None
    values: tuple[Number, ...] = ()
    p_value: Number = None
    adjusted: Number = None


@dataclass(frozen=True, kw_only=True)
class GridReport:
    """Everything that grid.json says and its page shows."""

    kind: str
    name: str
    scale: str
    device: str
    date: str
    version: str
    seeds: tuple[int, ...]
    split_seed: int
    n_test: int
    groups_test: int
    group_level: str
    level: float
    reference: str
    arms: tuple[GridArm, ...]
    metrics: tuple[MetricInfo, ...]
    figures: tuple[Figure, ...]
    differences: tuple[Paired, ...]
    effects: tuple[Paired, ...] = ()
    axis: str = ""
    minutes: Number = None
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def figure(self, arm: str, metric: str) -> Figure:
        return next(one for one in self.figures if one.arm == arm and one.metric == metric)

    def info(self, metric: str) -> MetricInfo:
        return next(one for one in self.metrics if one.name == metric)


def shown(paired: Paired) -> bool:
    """Say whether a difference is shown: two seeds at least, and neither interval nor corrected p holds with none."""
    low, high = paired.estimate.low, paired.estimate.high
    if len(paired.values) < FEWEST or paired.adjusted is None or low is None or high is None:
        return False
    return paired.adjusted < ALPHA and not low <= 0 <= high


def sentence(paired: Paired, info: MetricInfo) -> str:
    """Say what the numbers allow of one difference, and no more."""
    label, value = formatting.metric_label(info.name), paired.estimate.value
    if value is None:
        return f"{label}: undefined on these samples"
    if len(paired.values) < FEWEST:
        return f"{label}: not tested, one seed cannot tell a part's worth from the training's luck"
    if paired.adjusted is None or paired.estimate.low is None:
        return f"{label}: not tested"
    said = f"{formatting.number(value)} ({formatting.interval(paired.estimate)})"
    if not shown(paired):
        return f"{label}: no difference shown, {said}"
    better = (value > 0) == info.higher_is_better
    ahead, behind = (paired.first, paired.second) if better else (paired.second, paired.first)
    size = formatting.number(abs(value))
    ends = sorted((abs(paired.estimate.low), abs(paired.estimate.high or 0.0)))
    interval = f"{formatting.number(ends[0])} to {formatting.number(ends[1])}"
    return f"{label}: {ahead} better than {behind} by {size} ({interval})"


def summary(report: GridReport) -> list[str]:
    """Return the few sentences that stand first: what is shown, then what is not told apart."""
    said = []
    for title, rows in (("main effects", report.effects), (f"against '{report.reference}'", report.differences)):
        if not rows:
            continue
        found = [sentence(row, report.info(row.metric)) for row in rows if shown(row)]
        open_ = len(rows) - len(found)
        said += [f"{one} ({title})" for one in found]
        if open_:
            said.append(f"{title}: {open_} of {len(rows)} differences are not told apart from none by these data")
    return said


def span(values: Sequence[Number]) -> str:
    """Return each seed's value as text."""
    return ", ".join(formatting.number(value) for value in values)
