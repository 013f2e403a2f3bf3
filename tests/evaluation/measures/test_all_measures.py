"""What holds for every metric that can be named: weights are copies, nothing is NaN, resamples agree one by one."""

import math

import numpy as np
import pytest
from measure_cases import case, copied

from skinframe.components import Facts
from skinframe.evaluation.metric_registration import METRICS
from skinframe.evaluation.operating_points import SensitivityAtSpecificity, SpecificityAtSensitivity, threshold_for
from skinframe.evaluation.scores_with_intervals import score

NAMED = [kind for kind in METRICS if not kind.by_default]


def make(kind):
    other = case(10**6, 2)[:2]
    return kind().given(Facts(classes=("no", "yes"), chosen_on=other))


@pytest.mark.parametrize("kind", NAMED, ids=lambda kind: kind.name)
def test_weights_are_copies_and_order_does_not_matter(kind):
    metric = make(kind)
    for seed in range(30):
        y, p, w = case(2 * seed + 1, 2)
        value = metric.value(y, p, w)
        labels, probabilities = copied(y, p, w)
        order = np.random.default_rng(seed).permutation(len(labels))
        again = metric.value(labels[order], probabilities[order], np.ones(len(order)))
        assert value == pytest.approx(again, abs=1e-11, nan_ok=True)


@pytest.mark.parametrize("kind", NAMED, ids=lambda kind: kind.name)
def test_nothing_to_score_is_nan_with_a_reason(kind):
    y, p, _ = case(1, 2)
    metric = make(kind)
    assert math.isnan(metric.value(y, p, np.zeros(len(y))))
    found = score({"m": metric}, y[:0], p[:0], [], seed=0, resamples=5)["m"]
    assert (math.isnan(found.value), found.reason) == (True, "there is no sample")


@pytest.mark.parametrize("kind", NAMED, ids=lambda kind: kind.name)
def test_intervals_by_group_equal_intervals_by_row(kind):
    """Sums added up by group give what the weights of each row give, one resample at a time."""
    from skinframe.evaluation.bootstrap import replicate

    y, p, _ = case(11, 2)
    groups = [str(row // 2) for row in range(len(y))]
    metric = make(kind)
    fast = replicate({"m": metric.over(y, p)}, groups, seed=3, resamples=20)["m"]
    slow = replicate(
        {"m": lambda weights: np.array([metric.value(y, p, row) for row in weights])}, groups, seed=3, resamples=20
    )["m"]
    np.testing.assert_allclose(fast.resampled, slow.resampled, atol=1e-12)
    np.testing.assert_allclose(fast.left_out, slow.left_out, atol=1e-12)


def test_a_question_that_was_not_put_is_undefined_and_says_so():
    y, p, _ = case(5, 4)
    for kind in NAMED:
        if hasattr(kind, "of"):
            found = score({"m": kind()}, y, p, [str(i) for i in range(len(y))], seed=0, resamples=5)["m"]
            assert math.isnan(found.value)
            assert "name the classes to look for" in found.reason


def test_a_threshold_is_never_chosen_on_what_is_judged():
    y, p, _ = case(4, 2)
    for kind in (SensitivityAtSpecificity, SpecificityAtSensitivity):
        found = score({"m": kind()}, y, p, [str(i) for i in range(len(y))], seed=0, resamples=5)["m"]
        assert "no validation split" in found.reason
        assert found.positives == (y == 1).sum()


@pytest.mark.parametrize("least", [0.5, 0.9, 1.0])
def test_thresholds_hold_what_they_promise_and_no_better_one_does(least):
    for seed in range(50):
        random = np.random.default_rng(seed)
        truth, s = random.random(40) < 0.3, random.integers(0, 12, 40) / 12
        if truth.any() and not truth.all():
            t = threshold_for(truth, s, kind="sensitivity", least=least)
            assert (s[truth] >= t).mean() >= least
            assert all((s[truth] >= higher).mean() < least for higher in np.unique(s[s > t]))
            t = threshold_for(truth, s, kind="specificity", least=least)
            assert (s[~truth] < t).mean() >= least
            assert all((s[~truth] < lower).mean() < least for lower in np.unique(s[s < t]))
