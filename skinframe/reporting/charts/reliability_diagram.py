"""The reliability diagram: accuracy over confidence, with the band where a calibrated model would fall."""

from __future__ import annotations

from skinframe.reporting.charts.svg_shapes import Chart, Dot, Line, Rect, Scale, Shape, Text
from skinframe.reporting.report_values import Bin, Reliability

LEFT, TOP, SIDE, GAP, STRIP = 46.0, 10.0, 300.0, 14.0, 56.0


def reliability(diagram: Reliability) -> Chart:
    """Draw one diagram, with the number of images a bin under it."""
    x = Scale(low=0, high=1, start=LEFT, stop=LEFT + SIDE)
    y = Scale(low=0, high=1, start=TOP + SIDE, stop=TOP)
    shapes = _frame(x, y)
    for one in diagram.bins:
        shapes += _band(one, x, y)
    shapes.append(Line(points=((x(0), y(0)), (x(1), y(1))), ink="diagonal"))
    if diagram.bins:
        shapes.append(Line(points=tuple((x(one.confidence), y(one.accuracy)) for one in diagram.bins), ink="series"))
    for one in diagram.bins:
        tip = f"confidence {one.confidence:.2f}, accuracy {one.accuracy:.2f}, {one.count} images"
        shapes.append(Dot(x=x(one.confidence), y=y(one.accuracy), radius=4, ink="mark", tip=tip))
    shapes += _histogram(diagram.bins, x)
    label = f"reliability diagram {diagram.name}: accuracy against confidence in {len(diagram.bins)} bins"
    return Chart(width=LEFT + SIDE + 12, height=TOP + SIDE + GAP + STRIP + 40, shapes=tuple(shapes), label=label)


def _frame(x: Scale, y: Scale) -> list[Shape]:
    shapes: list[Shape] = []
    for value in (0, 0.25, 0.5, 0.75, 1):
        shapes.append(Line(points=((x(0), y(value)), (x(1), y(value))), ink="grid"))
        shapes.append(Line(points=((x(value), y(0)), (x(value), y(1))), ink="grid"))
        shapes.append(Text(x=x(0) - 8, y=y(value) + 4, text=f"{value:g}", anchor="end"))
    shapes.append(Text(x=x(0) + 6, y=y(1) + 16, text="accuracy", ink="axis", anchor="start"))
    return shapes


def _band(one: Bin, x: Scale, y: Scale) -> list[Shape]:
    if one.low is None or one.high is None:
        return []
    top, bottom = y(one.high), y(one.low)
    return [Rect(x=x(one.confidence) - 6, y=top, width=12, height=max(1.0, bottom - top), ink="band")]


def _histogram(bins: tuple[Bin, ...], x: Scale) -> list[Shape]:
    base = TOP + SIDE + GAP + STRIP
    most = max((one.count for one in bins), default=0)
    shapes: list[Shape] = []
    for one in bins:
        height = STRIP * one.count / most if most else 0
        tip = f"{one.count} images near confidence {one.confidence:.2f}"
        shapes.append(
            Rect(x=x(one.confidence) - 6, y=base - height, width=12, height=max(height, 0.5), ink="bar", tip=tip)
        )
    shapes.append(Line(points=((x(0), base), (x(1), base)), ink="rule"))
    shapes.append(Text(x=x(0) - 8, y=base - STRIP + 10, text=f"{most:,}", anchor="end"))
    shapes.append(Text(x=x(0) - 8, y=base + 4, text="0", anchor="end"))
    shapes += [Text(x=x(value), y=base + 16, text=f"{value:g}") for value in (0, 0.25, 0.5, 0.75, 1)]
    shapes.append(Text(x=x(0.5), y=base + 33, text="stated confidence (bars: number of images)", ink="axis"))
    return shapes
