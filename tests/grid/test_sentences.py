"""The words follow the numbers: nothing is called better unless interval, corrected p and seeds allow it."""

from __future__ import annotations

import pytest

from skinframe.reporting.grid_report import Paired, sentence, shown
from skinframe.reporting.report_values import Estimate, MetricInfo

HIGHER = MetricInfo(name="balanced_accuracy", higher_is_better=True)
LOWER = MetricInfo(name="nll", higher_is_better=False)


def paired(value: float, low: float, high: float, adjusted: float | None, seeds: int = 5) -> Paired:
    return Paired(
        first="whole",
        second="without alignment",
        metric="balanced_accuracy",
        estimate=Estimate(value=value, low=low, high=high),
        values=(value,) * seeds,
        p_value=adjusted,
        adjusted=adjusted,
    )


@pytest.mark.parametrize(
    ("row", "info", "said"),
    [
        (paired(0.04, 0.01, 0.07, 0.01), HIGHER, "whole better than without alignment by 0.040 (0.010 to 0.070)"),
        (paired(-0.04, -0.07, -0.01, 0.01), HIGHER, "without alignment better than whole by 0.040 (0.010 to 0.070)"),
        (paired(0.04, 0.01, 0.07, 0.01), LOWER, "without alignment better than whole by 0.040 (0.010 to 0.070)"),
        (paired(-0.04, -0.07, -0.01, 0.01), LOWER, "whole better than without alignment by 0.040 (0.010 to 0.070)"),
    ],
)
def test_a_shown_difference_names_who_is_better(row: Paired, info: MetricInfo, said: str) -> None:
    assert shown(row)
    assert sentence(row, info).endswith(said)


@pytest.mark.parametrize(
    "row",
    [
        paired(0.04, 0.01, 0.07, 0.06),  # the interval alone, before correction
        paired(0.04, -0.01, 0.07, 0.01),  # the p alone
        paired(0.0, 0.0, 0.0, 1.0),
    ],
)
def test_otherwise_no_difference_is_shown(row: Paired) -> None:
    assert not shown(row)
    assert "no difference shown" in sentence(row, HIGHER)
    assert "better" not in sentence(row, HIGHER)


def test_one_seed_says_nothing_however_small_its_p() -> None:
    row = paired(0.4, 0.3, 0.5, 0.0001, seeds=1)
    assert not shown(row)
    assert "not tested" in sentence(row, HIGHER)
    assert "better" not in sentence(row, HIGHER)


def test_an_undefined_difference_is_called_undefined() -> None:
    row = Paired(first="a", second="b", metric="nll", estimate=Estimate(value=None), values=(None, None))
    assert sentence(row, LOWER) == "NLL: undefined on these samples"
