"""Margins, many comparisons and many seeds."""

import math

import numpy as np
import pytest
from scipy import stats

from skinframe.evaluation.bootstrap import replicate
from skinframe.evaluation.inference.equivalence import Margin, equivalent, non_inferior
from skinframe.evaluation.inference.hierarchical import over_seeds
from skinframe.evaluation.inference.multiplicity import benjamini_hochberg, holm
from skinframe.evaluation.metrics import Accuracy
from skinframe.evaluation.metrics_calibration import NLL
from skinframe.weighted import mean_of

MARGIN = Margin(metric="accuracy", size=0.1, stated="protocol of 2026-01-01, section 4")
GROUPS = [str(i) for i in range(200)]


def difference(centre, spread=0.3, seed=0):
    values = np.random.default_rng(seed).normal(centre, spread, 200)
    return replicate({"d": mean_of(values)}, GROUPS, seed=1, resamples=1000)["d"]


def test_a_margin_is_positive_and_says_where_it_was_stated():
    with pytest.raises(ValueError, match="a margin must be positive, got -1"):
        Margin(metric="nll", size=-1, stated="protocol")
    with pytest.raises(ValueError, match="where it was stated"):
        Margin(metric="nll", size=0.1, stated=" ")


def test_no_worse_than_needs_the_whole_interval_on_the_right_side():
    for centre, holds in ((0.0, True), (-0.09, False), (-0.2, False), (0.5, True)):
        found = non_inferior(difference(centre), Accuracy(), MARGIN)
        assert found.holds == holds
        assert found.holds == (found.low > -0.1)
        assert "protocol of 2026" in found.claim
    worse = non_inferior(difference(0.5), NLL(), Margin(metric="nll", size=0.1, stated="protocol"))
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
    made = sum(non_inferior(difference(-0.1, seed=seed), Accuracy(), MARGIN).holds for seed in range(200))
    assert stats.binom.sf(made - 1, 200, 0.025) > 0.001


def test_adjusted_p_values_are_the_known_ones():
    p = [0.01, 0.04, math.nan, 0.03, 0.005]
    np.testing.assert_allclose(holm(p), [0.03, 0.06, math.nan, 0.06, 0.02])
    np.testing.assert_allclose(benjamini_hochberg(p), [0.02, 0.04, math.nan, 0.04, 0.02])
    np.testing.assert_allclose(benjamini_hochberg([0.3, 0.01, 0.9]), stats.false_discovery_control([0.3, 0.01, 0.9]))
    assert holm([]).tolist() == []
    with pytest.raises(ValueError, match=r"must be in \[0, 1\]"):
        holm([1.2])


def test_holm_is_at_least_as_large_as_benjamini_hochberg_and_both_as_p():
    for seed in range(50):
        p = np.random.default_rng(seed).random(12) ** 2
        assert (holm(p) >= benjamini_hochberg(p) - 1e-15).all()
        assert (benjamini_hochberg(p) >= p - 1e-15).all()


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
