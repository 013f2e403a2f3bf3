from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skinframe.reporting.charts import bars, curves, reliability_diagram
from skinframe.reporting.charts.svg_shapes import Chart, Dot, Line, Rect, Scale, tick_text, ticks
from skinframe.reporting.report_schema import Report
from skinframe.reporting.report_values import Estimate, Series

FINITE = st.floats(-1e6, 1e6)


def inside(chart: Chart) -> bool:
    xs = [x for one in chart.shapes if isinstance(one, Line) for x, _ in one.points]
    ys = [y for one in chart.shapes if isinstance(one, Line) for _, y in one.points]
    boxes = [one for one in chart.shapes if isinstance(one, Rect)]
    xs += [one.x + one.width for one in boxes] + [one.x for one in boxes]
    ys += [one.y + one.height for one in boxes] + [one.y for one in boxes]
    return all(-1 <= x <= chart.width + 1 for x in xs) and all(-1 <= y <= chart.height + 1 for y in ys)


@given(low=FINITE, span=st.floats(1e-6, 1e6), about=st.integers(1, 6))
@settings(deadline=None, derandomize=True)
def test_ticks_are_few_rising_and_inside(low: float, span: float, about: int) -> None:
    found = ticks(low, low + span, about)
    assert len(found) <= about + 1
    assert all(low - 1e-6 * span - 1e-9 <= one <= low + span * (1 + 1e-6) + 1e-9 for one in found)
    assert found == sorted(found)
    assert all(tick_text(one, found) for one in found)


def test_tick_labels_tell_ticks_apart() -> None:
    assert [tick_text(one, [0.25, 0.5, 0.75]) for one in (0.25, 0.5, 0.75)] == ["0.25", "0.50", "0.75"]
    assert tick_text(20_000, [0, 20_000]) == "20k"
    assert tick_text(-0.5, [-0.5, 0.0]) == "\u22120.5"


@given(ys=st.lists(st.none() | st.floats(allow_nan=True, allow_infinity=True, width=32), min_size=0, max_size=400))
@settings(deadline=None, derandomize=True, max_examples=60)
def test_a_curve_stays_in_its_frame(ys: list[float | None]) -> None:
    line = Series(name="loss", x=tuple(float(step) for step in range(len(ys))), y=tuple(ys))
    assert inside(curves.curve(line, "step", 3.0))


def test_thin_keeps_the_mean_and_bounds_the_count() -> None:
    points = [(float(x), float(x % 7)) for x in range(1000)]
    shown = curves.thin(points, 100)
    assert len(shown) == 100
    assert sum(y for _, y in shown) / 100 == pytest.approx(sum(y for _, y in points) / 1000)


def test_the_chosen_epoch_is_marked_at_its_value() -> None:
    line = Series(name="nll", x=(1.0, 2.0, 3.0), y=(1.0, 0.5, 0.7))
    mark = [one for one in curves.curve(line, "epoch", 2.0).shapes if isinstance(one, Dot) and one.ink == "chosen-mark"]
    assert [one.tip for one in mark] == ["chosen: 0.5"]


def test_reliability_dots_lie_at_accuracy_over_confidence(report: Report) -> None:
    diagram = report.reliability[0]
    chart = reliability_diagram.reliability(diagram)
    dots = [one for one in chart.shapes if isinstance(one, Dot)]
    bands = [one for one in chart.shapes if isinstance(one, Rect) and one.ink == "band"]
    x = Scale(low=0, high=1, start=reliability_diagram.LEFT, stop=reliability_diagram.LEFT + reliability_diagram.SIDE)
    y = Scale(low=0, high=1, start=reliability_diagram.TOP + reliability_diagram.SIDE, stop=reliability_diagram.TOP)
    assert [(one.x, one.y) for one in dots] == [(x(one.confidence), y(one.accuracy)) for one in diagram.bins]
    assert len(bands) == len(diagram.bins)
    assert inside(chart)
    assert inside(reliability_diagram.reliability(dataclasses.replace(diagram, bins=())))


def test_probability_bars_are_as_long_as_the_probabilities(report: Report) -> None:
    case = report.cases[0]
    chart = bars.probabilities(case, report.classes)
    drawn = [one for one in chart.shapes if isinstance(one, Rect) and one.ink in ("bar", "bar-chosen")]
    longest = max(one.width for one in drawn)
    assert [one.width / longest for one in drawn] == pytest.approx(
        [value / max(case.probabilities) for value in case.probabilities]
    )
    assert [one.ink for one in drawn].index("bar-chosen") == case.prediction
    assert inside(chart)


def test_whiskers_of_a_column_share_their_scale() -> None:
    estimates = [Estimate(value=0.4, low=0.3, high=0.5), Estimate(value=None), Estimate(value=0.9)]
    low, high = bars.common_range(estimates)
    assert low < 0.3
    assert high > 0.9
    points = [
        next((one.x for one in bars.whisker(each, low, high, "main").shapes if isinstance(one, Dot)), None)
        for each in estimates
    ]
    assert points[1] is None
    assert points[0] is not None
    assert points[2] is not None
    assert points[0] < points[2]
    assert bars.common_range([]) == (pytest.approx(-0.04), pytest.approx(1.04))
