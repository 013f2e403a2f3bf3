"""Small bars: the class probabilities of a case, and an interval on a column's common scale."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from skinframe.reporting.charts.svg_shapes import Chart, Dot, Line, Rect, Scale, Shape, Text, tick_text, ticks
from skinframe.reporting.report_schema import ExampleCase
from skinframe.reporting.report_values import Estimate

ROW = 19.0


def probabilities(case: ExampleCase, classes: Sequence[str]) -> Chart:
    """Draw one bar a class, the figure before calibration as a tick and the true law, where known, as a ring."""
    names = [name if len(name) <= 11 else f"{name[:10]}…" for name in classes]
    left = 24.0 + 7.6 * max((len(name) for name in names), default=3)
    scale = Scale(low=0, high=1, start=left, stop=298)
    shapes: list[Shape] = []
    for index, (name, value) in enumerate(zip(names, case.probabilities, strict=True)):
        top = 4 + index * ROW
        truth, chosen = index == case.label, index == case.prediction
        shapes.append(Text(x=left - 8, y=top + 12, text=name, ink="name-true" if truth else "name", anchor="end"))
        if truth:
            shapes.append(Rect(x=0, y=top + 3, width=4, height=ROW - 7, ink="truth", tip="true class"))
        shapes.append(Rect(x=left, y=top + 3, width=scale.stop - left, height=ROW - 7, ink="track"))
        ink = "bar-chosen" if chosen else "bar"
        tip = f"{classes[index]}: {value:.3f}"
        shapes.append(Rect(x=left, y=top + 3, width=scale(value) - left, height=ROW - 7, ink=ink, tip=tip))
        if case.before is not None:
            at = scale(case.before[index])
            shapes.append(Line(points=((at, top + 1), (at, top + ROW - 2)), ink="before"))
        if case.posterior is not None:
            shapes.append(Dot(x=scale(case.posterior[index]), y=top + ROW / 2 - 0.5, radius=3.2, ink="law"))
        shapes.append(Text(x=336, y=top + 12, text=f"{value:.2f}", ink="value", anchor="end"))
    said = ", ".join(f"{name} {value:.2f}" for name, value in zip(classes, case.probabilities, strict=True))
    return Chart(width=340, height=8 + ROW * len(names), shapes=tuple(shapes), label=f"class probabilities: {said}")


def common_range(estimates: Iterable[Estimate]) -> tuple[float, float]:
    """Return the range that holds every value and interval end, with a little room."""
    ends = [
        end
        for one in estimates
        for end in (one.value, one.low, one.high)
        if end is not None and abs(end) < float("inf")
    ]
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    room = 0.04 * (high - low) or 0.05
    return low - room, high + room


def whisker(estimate: Estimate, low: float, high: float, role: str, width: float = 104) -> Chart:
    """Draw a value and its interval on [low, high]; the floor, where there is one, as a tick."""
    scale = Scale(low=low, high=high, start=3, stop=width - 3)
    shapes: list[Shape] = [Line(points=((0, 8), (width, 8)), ink="track-line")]
    ink = "main" if role in ("main", "variant") else "reference" if role == "reference" else "plain"
    if estimate.floor is not None:
        at = scale(estimate.floor.mean)
        shapes.append(Line(points=((at, 1), (at, 15)), ink="floor"))
    if estimate.low is not None and estimate.high is not None:
        shapes.append(Line(points=((scale(estimate.low), 8), (scale(estimate.high), 8)), ink=f"whisker-{ink}"))
    if estimate.value is not None:
        shapes.append(Dot(x=scale(estimate.value), y=8, radius=3.6, ink=f"point-{ink}"))
    return Chart(width=width, height=16, shapes=tuple(shapes), label="value and interval on the column's scale")


def axis(low: float, high: float, width: float = 104) -> Chart:
    """Draw the scale that a column of whiskers shares."""
    scale = Scale(low=low, high=high, start=3, stop=width - 3)
    values = ticks(low, high, 3)
    shapes: list[Shape] = [Line(points=((0, 2), (width, 2)), ink="rule")]
    for value in values:
        shapes.append(Line(points=((scale(value), 2), (scale(value), 6)), ink="rule"))
        shapes.append(Text(x=min(max(scale(value), 9), width - 9), y=17, text=tick_text(value, values)))
    return Chart(width=width, height=20, shapes=tuple(shapes), label=f"scale from {low:.3g} to {high:.3g}")
