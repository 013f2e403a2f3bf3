"""DeLong, McNemar and the label swap: known numbers, exact limits, and errors as often as stated."""

import math
from itertools import product

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from skinframe.evaluation.inference.delong import clustered_delong, delong
from skinframe.evaluation.inference.mcnemar import clustered_mcnemar, mcnemar
from skinframe.evaluation.inference.permutation import swap_p_value
from skinframe.evaluation.metrics_calibration import NLL


def draw(seed, n=80, ties=False):
    random = np.random.default_rng(seed)
    y = random.random(n) < 0.4
    s = random.normal(size=(2, n)) + 1.2 * y
    return y, np.round(s) if ties else s


@pytest.mark.parametrize("ties", [False, True])
def test_areas_and_variance_are_those_of_the_definition(ties):
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


def test_one_class_has_no_area_and_a_perfect_one_no_interval():
    _, s = draw(3)
    assert np.isnan(delong(np.zeros(80), s).values).all()
    assert math.isnan(delong(np.arange(80) > 40, np.arange(80.0)).interval()[0])
    low, high = delong(*draw(3)).interval()
    assert 0 < low < delong(*draw(3)).values[0] < high < 1


def test_mcnemar_is_the_binomial_test_and_mid_p_takes_half_of_what_was_seen():
    random = np.random.default_rng(0)
    for _ in range(200):
        a, b = random.random((2, 40)) < 0.7
        found, exact = mcnemar(a, b), mcnemar(a, b, mid=False)
        n = exact.first_only + exact.second_only
        assert exact.p == pytest.approx(stats.binomtest(exact.first_only, n).pvalue if n else 1.0)
        assert found.p <= exact.p
    assert mcnemar(a, a).p == 1.0


def test_groups_that_err_together_are_one_vote():
    a = np.repeat([True] * 8 + [False] * 2, 10)
    b = ~a
    groups = [str(i // 10) for i in range(100)]
    assert mcnemar(a, b).p < 1e-6
    assert clustered_mcnemar(a, b, groups).p == pytest.approx(stats.chi2.sf(3.6, 1))
    assert clustered_mcnemar(a, a, groups).p == 1.0


def test_the_swap_test_of_a_mean_is_the_sign_flip_test():
    random = np.random.default_rng(4)
    y = random.integers(0, 2, 9)
    p, q = random.dirichlet([2, 2], 9), random.dirichlet([2, 2], 9)
    gap = -np.log(p[np.arange(9), y]) + np.log(q[np.arange(9), y])
    every = np.array([abs(np.mean(np.array(signs) * gap)) for signs in product((1, -1), repeat=9)])
    exact = (every >= abs(gap.mean()) - 1e-12).mean()
    found = swap_p_value(NLL(), y, p, q, [str(i) for i in range(9)], seed=1, permutations=4000)
    assert found == pytest.approx(exact, abs=0.03)


def test_one_group_or_twins_cannot_differ():
    y, p = np.array([0, 1, 0]), np.array([[0.6, 0.4], [0.3, 0.7], [0.5, 0.5]])
    assert swap_p_value(NLL(), y, p, p, ["a", "b", "c"], seed=0, permutations=50) == 1.0
    assert swap_p_value(NLL(), y, p, p[::-1], ["a", "a", "a"], seed=0, permutations=50) == 1.0
