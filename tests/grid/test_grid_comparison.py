"""An arm's figure over seeds, from replicates that are known."""

from __future__ import annotations

import numpy as np
import pytest

from skinframe.evaluation.bootstrap import Replicates
from skinframe.grid.grid_comparison import ComparedRuns


def replicates(seed: int) -> Replicates:
    random = np.random.default_rng(seed)
    return Replicates(estimate=0.01, resampled=random.normal(0.01, 0.02, 400), left_out=random.normal(0.01, 0.002, 50))


@pytest.mark.parametrize(("errors", "from_zero"), [(frozenset({"ece"}), True), (frozenset(), False)])
def test_an_error_that_cannot_be_below_0_has_no_interval_that_is(errors: frozenset[str], from_zero: bool) -> None:
    found = {"ece": {"whole": [replicates(0), replicates(1)]}}
    judged = ComparedRuns(found, (), errors, groups=50, samples=100, seed=0, level=0.95)
    estimate = judged.figure("ece", "whole").estimate
    assert estimate.low is not None
    assert estimate.high is not None
    assert (estimate.low == 0) == from_zero
    assert estimate.low < 0.01 < estimate.high
