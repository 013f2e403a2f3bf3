"""An arm's figure over seeds, from replicates that are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from skinframe.evaluation.bootstrap import Replicates
from skinframe.evaluation.discrimination import MCC, BalancedAccuracy
from skinframe.evaluation.proper_scores import NLL, Brier
from skinframe.grid.contrasts import Contrast
from skinframe.grid.grid_comparison import ComparedRuns


def replicates(seed: int) -> Replicates:
    random = np.random.default_rng(seed)
    return Replicates(estimate=0.01, resampled=random.normal(0.01, 0.02, 400), left_out=random.normal(0.01, 0.002, 50))


@pytest.mark.parametrize(("spans", "from_zero"), [({"ece": (0.0, 1.0)}, True), ({}, False)])
def test_an_error_that_cannot_be_below_0_has_no_interval_that_is(spans: dict[str, Any], from_zero: bool) -> None:
    found = {"ece": {"whole": [replicates(0), replicates(1)]}}
    judged = ComparedRuns(found, (), spans, groups=50, samples=100, seed=0, level=0.95)
    estimate = judged.figure("ece", "whole").estimate
    assert estimate.low is not None
    assert estimate.high is not None
    assert (estimate.low == 0) == from_zero
    assert estimate.low < 0.01 < estimate.high


@pytest.mark.parametrize(("metric", "centre"), [(BalancedAccuracy, 0.5), (Brier, 1.6), (MCC, -0.6), (NLL, 0.4)])
def test_two_seeds_that_differ_have_no_interval_beyond_what_the_metric_can_be(metric: Any, centre: float) -> None:
    def seed(estimate: float, number: int) -> Replicates:
        random = np.random.default_rng(number)
        return Replicates(estimate, random.normal(estimate, 0.03, 400), random.normal(estimate, 0.002, 50))

    low, high = metric.span
    runs = {
        "whole": [seed(centre - 0.2, 0), seed(centre + 0.2, 1)],
        "without": [seed(centre + 0.2, 2), seed(centre - 0.2, 3)],
    }
    judged = ComparedRuns({"m": runs}, (), {"m": (low, high)}, groups=50, samples=100, seed=0, level=0.95)
    loose = ComparedRuns({"m": runs}, (), {}, groups=50, samples=100, seed=0, level=0.95)
    kept, cut = loose.figure("m", "whole").estimate, judged.figure("m", "whole").estimate
    assert kept.low is not None and kept.high is not None  # noqa: PT018
    assert kept.low < low or kept.high > high  # stretched by t / z, two seeds know next to nothing
    assert cut.low == max(low, kept.low)
    assert cut.high == min(high, kept.high)
    contrast = Contrast(first="whole", second="without", coefficients={"whole": 1.0, "without": -1.0})
    (gap,) = judged.paired([contrast])
    assert gap.estimate.low is not None and gap.estimate.high is not None  # noqa: PT018
    assert -(high - low) <= gap.estimate.low <= gap.estimate.high <= high - low
