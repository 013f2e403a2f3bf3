"""Small line charts, one a curve, so that parts of very different size can all be read."""

from __future__ import annotations

import math

from skinframe.reporting.charts.svg_shapes import Chart, Dot, Line, Scale, Shape, Text, tick_text, ticks
from skinframe.reporting.report_values import Series

WIDTH, HEIGHT = 250.0, 150.0
LEFT, RIGHT, TOP, BOTTOM = 44.0, 10.0, 8.0, 34.0
MOST_POINTS = 160


def curve(line: Series, unit: str, marked: float | None = None) -> Chart:
    """Draw one curve; `marked` is an x to point out, such as the chosen epoch."""
    points = [(x, y) for x, y in zip(line.x, line.y, strict=True) if y is not None and math.isfinite(y)]
    label = f"{line.name} over {unit}"
    if not points:
        nothing = Text(x=WIDTH / 2, y=HEIGHT / 2, text="no finite value")
        return Chart(width=WIDTH, height=HEIGHT, shapes=(nothing,), label=label)
    shown = thin(points)
    across = Scale(low=points[0][0], high=points[-1][0], start=LEFT, stop=WIDTH - RIGHT)
    beside = [
        [(x, y) for x, y in zip(line.x, other, strict=True) if y is not None and math.isfinite(y)]
        for other in line.beside
    ]
    low, high = _range([y for _, y in (*shown, *(point for other in beside for point in other))])
    up = Scale(low=low, high=high, start=HEIGHT - BOTTOM, stop=TOP)
    shapes = _frame(across, up, unit)
    shapes += [Line(points=tuple((across(x), up(y)) for x, y in other), ink="beside") for other in beside if other]
    drawn = tuple((across(x), up(y)) for x, y in shown)
    if marked is not None:
        shapes += _mark(points, marked, across, up)
    shapes.append(Line(points=drawn, ink="series"))
    if len(drawn) <= 30:
        shapes += [
            Dot(x=x, y=y, radius=2.2, ink="mark", tip=f"{unit} {value[0]:g}: {value[1]:.4g}")
            for (x, y), value in zip(drawn, shown, strict=True)
        ]
    return Chart(width=WIDTH, height=HEIGHT, shapes=tuple(shapes), label=label)


def thin(points: list[tuple[float, float]], most: int = MOST_POINTS) -> list[tuple[float, float]]:
    """Return at most so many points, each the mean of a run of neighbours."""
    size = math.ceil(len(points) / most)
    runs = [points[start : start + size] for start in range(0, len(points), size)]
    return [(sum(x for x, _ in run) / len(run), sum(y for _, y in run) / len(run)) for run in runs]


def _range(values: list[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = 0.08 * (high - low) or 0.05 * abs(high) or 0.5
    # a quantity that is never negative is not given a negative axis
    return (max(0.0, low - room) if low >= 0 else low - room), high + room


def _frame(across: Scale, up: Scale, unit: str) -> list[Shape]:
    shapes: list[Shape] = []
    values = ticks(up.low, up.high, 3)
    for value in values:
        shapes.append(Line(points=((across.start, up(value)), (across.stop, up(value))), ink="grid"))
        shapes.append(Text(x=across.start - 6, y=up(value) + 4, text=tick_text(value, values), anchor="end"))
    steps = [value for value in ticks(across.low, across.high, 4) if value == int(value)]
    shapes += [Text(x=across(value), y=up.start + 14, text=tick_text(value, steps)) for value in steps]
    shapes.append(Line(points=((across.start, up.start), (across.stop, up.start)), ink="rule"))
    shapes.append(Text(x=(across.start + across.stop) / 2, y=up.start + 29, text=unit, ink="axis"))
    return shapes


def _mark(points: list[tuple[float, float]], marked: float, across: Scale, up: Scale) -> list[Shape]:
    place = across(marked)
    shapes: list[Shape] = [Line(points=((place, up.start), (place, up.stop)), ink="chosen")]
    value = next((y for x, y in points if x == marked), None)
    if value is not None:
        shapes.append(Dot(x=place, y=up(value), radius=4.5, ink="chosen-mark", tip=f"chosen: {value:.4g}"))
    return shapes
