"""A metric along a numeric axis: the mean over seeds as a line, its interval as a whisker, each seed as a faint dot."""

from __future__ import annotations

import math
from dataclasses import dataclass

from skinframe.reporting.charts.svg_shapes import Chart, Dot, Line, Scale, Shape, Text, tick_text, ticks
from skinframe.reporting.grid_report import Figure, GridReport

WIDTH, HEIGHT = 330.0, 200.0
LEFT, RIGHT, TOP, BOTTOM = 48.0, 14.0, 10.0, 36.0
DECADES = 20.0  # positive values whose ends differ by this factor stand on a logarithmic axis


@dataclass(frozen=True)
class _Across:
    """The axis: linear, or logarithmic where the values span decades."""

    scale: Scale
    log: bool

    def __call__(self, value: float) -> float:
        return self.scale(math.log10(value) if self.log else value)


def spread(report: GridReport, metric: str) -> Chart | None:
    """Draw one metric over the arms' places; None where fewer than two arms have one."""
    placed = sorted(((arm.at, report.figure(arm.name, metric)) for arm in report.arms if arm.at is not None), key=_at)
    points = [(at, figure) for at, figure in placed if figure.estimate.value is not None]
    if len(points) < 2:
        return None
    across, up = _across([at for at, _ in points]), _up([figure for _, figure in points])
    shapes = _frame([at for at, _ in points], across, up, report.axis)
    shapes.append(
        Line(points=tuple((across(at), up(figure.estimate.value or 0.0)) for at, figure in points), ink="series")
    )
    for at, figure in points:
        shapes += _point(across(at), up, figure, f"{report.axis} {at:g}")
    return Chart(width=WIDTH, height=HEIGHT, shapes=tuple(shapes), label=f"{metric} over {report.axis}")


def _at(pair: tuple[float, Figure]) -> float:
    return pair[0]


def _across(places: list[float]) -> _Across:
    log = places[0] > 0 and places[-1] / places[0] >= DECADES
    low, high = (math.log10(places[0]), math.log10(places[-1])) if log else (places[0], places[-1])
    return _Across(Scale(low=low, high=high, start=LEFT + 8, stop=WIDTH - RIGHT - 8), log)


def _up(figures: list[Figure]) -> Scale:
    ends = [v for one in figures for v in (one.estimate.low, one.estimate.high, *one.values) if v is not None]
    low, high = min(ends), max(ends)
    room = 0.06 * (high - low) or 0.05
    return Scale(low=low - room, high=high + room, start=HEIGHT - BOTTOM, stop=TOP)


def _frame(places: list[float], across: _Across, up: Scale, axis: str) -> list[Shape]:
    shapes: list[Shape] = []
    values = ticks(up.low, up.high, 4)
    for value in values:
        shapes.append(Line(points=((LEFT, up(value)), (WIDTH - RIGHT, up(value))), ink="grid"))
        shapes.append(Text(x=LEFT - 6, y=up(value) + 4, text=tick_text(value, values), anchor="end"))
    shapes += [Text(x=across(place), y=up.start + 14, text=f"{place:g}") for place in places]
    shapes.append(Line(points=((LEFT, up.start), (WIDTH - RIGHT, up.start)), ink="rule"))
    shapes.append(Text(x=(LEFT + WIDTH - RIGHT) / 2, y=up.start + 30, text=axis, ink="axis"))
    return shapes


def _point(x: float, up: Scale, figure: Figure, where: str) -> list[Shape]:
    estimate = figure.estimate
    shapes: list[Shape] = []
    if estimate.low is not None and estimate.high is not None:
        shapes.append(Line(points=((x, up(estimate.low)), (x, up(estimate.high))), ink="whisker-main"))
    seeds = [value for value in figure.values if value is not None]
    shapes += [Dot(x=x, y=up(value), radius=1.8, ink="point-plain", tip=f"one seed: {value:.4g}") for value in seeds]
    shapes.append(
        Dot(x=x, y=up(estimate.value or 0.0), radius=3.4, ink="point-main", tip=f"{where}: {estimate.value:.4g}")
    )
    return shapes
