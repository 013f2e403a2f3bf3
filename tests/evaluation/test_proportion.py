"""Intervals of shares: exact where trials are independent, wide where lesions of a patient go right together."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skinframe.evaluation.bootstrap import replicate
from skinframe.evaluation.interval_methods import clopper_pearson, interval
from skinframe.evaluation.scores_with_intervals import score_of
from skinframe.weighted_statistics import share_of


@settings(deadline=None, derandomize=True)
@given(n=st.integers(1, 60), data=st.data(), level=st.sampled_from([0.9, 0.95, 0.99]))
def test_clopper_pearson_is_the_binomial_test_turned_round(n: int, data: st.DataObject, level: float) -> None:
    from scipy import stats

    hits = data.draw(st.integers(0, n))
    exact = stats.binomtest(hits, n).proportion_ci(level, method="exact")
    assert clopper_pearson(hits, n, level) == pytest.approx((exact.low, exact.high), abs=1e-9)


def share(hit: list[int], groups: list[str], of: list[int] | None = None) -> tuple[float, float, str]:
    trials = np.ones(len(hit), dtype=bool) if of is None else np.array(of, dtype=bool)
    found = replicate({"s": share_of(np.array(hit), trials)}, groups, seed=0, resamples=50)["s"]
    return interval(found, 0.95)


def test_where_every_trial_agrees_each_group_is_one_trial() -> None:
    groups = [f"p{i // 3}" for i in range(30)]
    low, high, method = share([1] * 30, groups)
    assert high == 1.0
    assert low == pytest.approx(0.025 ** (1 / 10), abs=1e-12)  # ten patients, none of whom failed
    assert "Korn" in method
    assert share([0] * 30, groups)[:2] == pytest.approx((0.0, 1 - 0.025 ** (1 / 10)), abs=1e-12)


def test_groups_that_hold_no_trial_count_for_nothing() -> None:
    few, many = ["a", "b", "c", "d"], [f"x{i}" for i in range(40)]
    alone = share([1, 1, 1, 1], few)
    among = share([1, 1, 1, 1, *[0] * 40], few + many, of=[1, 1, 1, 1, *[0] * 40])
    assert among == alone


def test_lesions_that_agree_within_a_patient_widen_the_interval() -> None:
    hit = [int(i % 3 != 0) for i in range(60) for _ in range(4)]
    alone = share(hit, [str(i) for i in range(240)])
    together = share(hit, [str(i // 4) for i in range(240)])
    assert together[1] - together[0] > 1.8 * (alone[1] - alone[0])


def test_independent_trials_give_nearly_the_exact_interval() -> None:
    hit = [1] * 170 + [0] * 30
    low, high, _ = share(hit, [str(i) for i in range(200)])
    assert (low, high) == pytest.approx(clopper_pearson(170, 200, 0.95), abs=2e-3)


def test_no_trial_has_no_interval() -> None:
    low, high, _ = share([0, 0], ["a", "b"], of=[0, 0])
    assert math.isnan(low)
    assert math.isnan(high)


def test_a_perfect_share_is_not_called_certain_and_needs_no_warning() -> None:
    groups = [str(i) for i in range(25)]
    found = replicate({"s": share_of(np.ones(25), np.ones(25, dtype=bool))}, groups, seed=0, resamples=50)["s"]
    scored = score_of(found, 25, groups, level=0.95, resamples=50)
    assert (scored.value, scored.high) == (1.0, 1.0)
    assert scored.low == pytest.approx(0.025 ** (1 / 25))
    assert scored.warnings == ()
