"""DeLong and McNemar: known numbers, exact limits, and errors as often as stated."""

import math

import numpy as np
import pytest

from skinframe.evaluation.delong import clustered_delong, delong
from skinframe.evaluation.hypothesis_tests import clustered_mcnemar, mcnemar


def draw(seed, n=80, ties=False):
    random = np.random.default_rng(seed)
    y = random.random(n) < 0.4
    s = random.normal(size=(2, n)) + 1.2 * y
    return y, np.round(s) if ties else s


@pytest.mark.parametrize("ties", [False, True])
def test_areas_and_variance_are_those_of_the_definition(ties):
    from sklearn.metrics import roc_auc_score

    for seed in range(40):
        y, s = draw(seed, ties=ties)
        found = delong(y, s)
        kernel = np.array([(one[y][:, None] > one[~y]) + 0.5 * (one[y][:, None] == one[~y]) for one in s])
        ten, one = kernel.mean(axis=2), kernel.mean(axis=1)
        wanted = np.cov(ten) / y.sum() + np.cov(one) / (~y).sum()
        np.testing.assert_allclose(found.values, [roc_auc_score(y, row) for row in s], atol=1e-12)
        np.testing.assert_allclose(found.covariance, wanted, atol=1e-12)


def test_clusters_of_one_are_delongs_but_for_its_small_sample_terms():
    y, s = draw(0, n=4000)
    plain, clustered = delong(y, s), clustered_delong(y, s, [str(i) for i in range(4000)])
    np.testing.assert_allclose(clustered.covariance, plain.covariance, rtol=1e-3)


def test_a_sample_that_is_copied_is_worth_no_more_in_clusters():
    y, s = draw(1)
    rows = np.repeat(np.arange(80), 5)
    groups = [str(row) for row in rows]
    alone = clustered_delong(y, s, [str(i) for i in range(80)])
    copied = clustered_delong(y[rows], s[:, rows], groups)
    np.testing.assert_allclose(copied.covariance, alone.covariance, atol=1e-12)
    assert delong(y[rows], s[:, rows]).covariance[0, 0] < 0.25 * copied.covariance[0, 0]


def test_equal_rankings_have_p_one_and_p_holds_its_level():
    from scipy import stats

    y, s = draw(2)
    assert delong(y, np.stack([s[0], 3 * s[0] + 1])).p_value() == 1.0
    rejected = 0
    for seed in range(300):
        y, s = draw(seed, n=120)
        rejected += delong(y, s).p_value() < 0.05
    assert stats.binom.cdf(rejected, 300, 0.05) < 0.999
    assert stats.binom.sf(rejected - 1, 300, 0.05) > 0.001


def test_areas_that_no_sample_could_change_have_no_p():
    """One model is perfect and one wrong throughout: no variance is seen, which is not certainty."""
    y = np.array([False, False, False, True, True])
    found = delong(y, np.stack([1.0 * y, -1.0 * y]))
    assert found.values.tolist() == [1.0, 0.0]
    assert math.isnan(found.p_value())
    assert found.p_value(0, 0) == 1.0


def test_one_class_has_no_area_and_equal_rankings_no_interval():
    y, s = draw(3)
    assert np.isnan(delong(np.zeros(80), s).values).all()
    gap, low, high = delong(y, np.stack([s[0], 2 * s[0]])).difference()
    assert gap == 0
    assert math.isnan(low)
    assert math.isnan(high)


def test_the_interval_of_a_difference_leaves_out_zero_where_p_is_below_alpha():
    verdicts = set()
    for seed in range(60):
        y, s = draw(seed, n=120)
        s[1] += 0.6 * y
        found = delong(y, s)
        gap, low, high = found.difference()
        assert gap == pytest.approx(found.values[0] - found.values[1])
        assert (low > 0 or high < 0) == (found.p_value() < 0.05)
        verdicts.add(found.p_value() < 0.05)
    assert verdicts == {True, False}


def test_mcnemar_is_the_binomial_test_less_half_of_what_was_seen():
    from scipy import stats

    random = np.random.default_rng(0)
    for _ in range(200):
        a, b = random.random((2, 40)) < 0.7
        found = mcnemar(a, b)
        n = found.first_only + found.second_only
        exact = stats.binomtest(found.first_only, n).pvalue if n else 1.0
        seen = stats.binom.pmf(found.first_only, n, 0.5) if n else 0.0
        assert found.p == pytest.approx(min(1.0, exact - seen) if found.first_only != found.second_only else 1.0)
    assert mcnemar(a, a).p == 1.0


def test_groups_that_err_together_are_one_vote():
    from scipy import stats

    a = np.repeat([True] * 8 + [False] * 2, 10)
    b = ~a
    groups = [str(i // 10) for i in range(100)]
    assert mcnemar(a, b).p < 1e-6
    assert clustered_mcnemar(a, b, groups).p == pytest.approx(stats.chi2.sf(3.6, 1))
    assert clustered_mcnemar(a, a, groups).p == 1.0
