"""Margins, many comparisons and many seeds."""

import math

import numpy as np
import pytest

from skinframe.evaluation import seed_bootstrap
from skinframe.evaluation.bootstrap import replicate
from skinframe.evaluation.discrimination import Accuracy
from skinframe.evaluation.hypothesis_tests import Margin, equivalent, holm, non_inferior
from skinframe.evaluation.proper_scores import NLL
from skinframe.seeding import derive
from skinframe.weighted_statistics import mean_of

MARGIN = Margin(metric="accuracy", size=0.1)
GROUPS = [str(i) for i in range(200)]


def difference(centre, spread=0.3, seed=0):
    values = np.random.default_rng(seed).normal(centre, spread, 200)
    return replicate({"d": mean_of(values)}, GROUPS, seed=1, resamples=1000)["d"]


def over_seeds(statistics, groups, *, seed, resamples=2000):
    named = {str(place): statistic for place, statistic in enumerate(statistics)}
    drawn = replicate(named, groups, seed=derive(seed, "bootstrap"), resamples=resamples, blocks=2)
    return seed_bootstrap.over_seeds(list(drawn.values()), len(set(groups)), seed=seed)


@pytest.mark.parametrize("size", [-1, 0, math.inf, math.nan])
def test_a_margin_is_a_positive_number(size):
    with pytest.raises(ValueError, match="a margin must be positive, got"):
        Margin(metric="nll", size=size)


def test_no_worse_than_needs_the_whole_interval_on_the_right_side():
    for centre, holds in ((0.0, True), (-0.09, False), (-0.2, False), (0.5, True)):
        found = non_inferior(difference(centre), Accuracy(), MARGIN)
        assert found.holds == holds
        assert found.holds == (found.low > -0.1)
        assert found.claim == "worse by less than 0.1"
    worse = non_inferior(difference(0.5), NLL(), Margin(metric="nll", size=0.1))
    assert not worse.holds
    assert worse.p > 0.9


@pytest.mark.parametrize("claim", [non_inferior, equivalent])
def test_a_margin_of_another_metric_is_refused(claim):
    with pytest.raises(ValueError, match="stated for 'accuracy', and the difference is of 'nll'"):
        claim(difference(0.0), NLL(), MARGIN)


def test_as_good_as_is_more_than_not_different():
    assert equivalent(difference(0.0), Accuracy(), MARGIN).holds
    assert not equivalent(difference(0.0, spread=2.0), Accuracy(), MARGIN).holds
    assert not equivalent(difference(0.2), Accuracy(), MARGIN).holds
    alike = equivalent(difference(0.0), Accuracy(), MARGIN)
    assert -0.1 < alike.low < alike.high < 0.1


def test_non_inferiority_errs_as_often_as_stated():
    """At the margin itself the claim is false, and is made in about 2.5 % of the draws."""
    from scipy import stats

    made = sum(non_inferior(difference(-0.1, seed=seed), Accuracy(), MARGIN).holds for seed in range(200))
    assert stats.binom.sf(made - 1, 200, 0.025) > 0.001


def test_adjusted_p_values_are_the_known_ones():
    p = [0.01, 0.04, math.nan, 0.03, 0.005]
    np.testing.assert_allclose(holm(p), [0.03, 0.06, math.nan, 0.06, 0.02])
    assert holm([]).tolist() == []
    with pytest.raises(ValueError, match=r"must be in \[0, 1\]"):
        holm([1.2])


def test_holm_lies_between_false_discovery_control_and_bonferroni():
    from scipy import stats

    for seed in range(50):
        p = np.random.default_rng(seed).random(12) ** 2
        assert (holm(p) >= stats.false_discovery_control(p) - 1e-15).all()
        assert (holm(p) <= np.minimum(1.0, 12 * p) + 1e-15).all()


def test_seeds_add_to_the_interval_of_patients():
    random = np.random.default_rng(0)
    patient = random.normal(size=200)
    alone = over_seeds([mean_of(patient)] * 8, GROUPS, seed=0)
    spread = over_seeds([mean_of(patient + luck) for luck in random.normal(size=8)], GROUPS, seed=0)
    assert alone.sd == pytest.approx(0.0, abs=1e-12)
    assert spread.high - spread.low > 3 * (alone.high - alone.low)
    assert spread.value == pytest.approx(np.mean(spread.values))
    few = over_seeds([mean_of(patient)] * 2, GROUPS, seed=0)
    assert "2 seeds" in few.warnings[0]
    with pytest.raises(ValueError, match="at least one seed"):
        over_seeds([], GROUPS, seed=0)


@pytest.mark.parametrize("count", [3, 5, 8, 10])
def test_intervals_over_seeds_hold_the_truth(count):
    from scipy import stats

    held = 0
    for trial in range(200):
        random = np.random.default_rng(trial)
        patient = random.normal(size=60)
        seeds = [mean_of(patient + luck) for luck in random.normal(size=count) * 0.5]
        found = over_seeds(seeds, GROUPS[:60], seed=trial, resamples=400)
        held += found.low <= 0.0 <= found.high
    assert stats.binom.cdf(held, 200, 0.95) > 0.001
    assert stats.binom.sf(held - 1, 200, 0.95) > 0.001


def test_p_over_seeds_says_what_the_interval_says():
    agree = []
    for trial in range(60):
        random = np.random.default_rng(trial)
        patient = random.normal(size=60) + 0.25
        seeds = [mean_of(patient + luck) for luck in random.normal(size=5) * 0.2]
        found = over_seeds(seeds, GROUPS[:60], seed=trial, resamples=400)
        agree.append(found.p < 0.05)
        assert (found.p < 0.05) == (found.low > 0 or found.high < 0), found
    assert 5 < sum(agree) < 55  # both verdicts were seen


def test_p_over_seeds_of_no_difference_is_1_and_of_one_seed_undefined():
    nothing = over_seeds([mean_of(np.zeros(60))] * 5, GROUPS[:60], seed=0, resamples=200)
    assert nothing.p == 1.0
    assert np.isnan(over_seeds([mean_of(np.arange(60.0))], GROUPS[:60], seed=0, resamples=200).p)
    sure = over_seeds([mean_of(np.full(60, 5.0))] * 5, GROUPS[:60], seed=0, resamples=200)
    assert sure.p == pytest.approx(2 / 201)
