"""Gaps are found where they are, small cells are not judged, and luck is called luck."""

import math

import numpy as np
import pytest
from scipy import stats

from skinframe.evaluation.discrimination import Accuracy, BalancedAccuracy
from skinframe.evaluation.subgroups import by_subgroup


def draw(seed, skill=(0.8, 0.8, 0.8), patients=120, each=3):
    random = np.random.default_rng(seed)
    kind = np.repeat(random.integers(0, 3, patients), each)
    y = random.integers(0, 2, patients * each)
    right = random.random(len(y)) < np.array(skill)[kind]
    p = np.eye(2)[np.where(right, y, 1 - y)] * 0.8 + 0.1
    return [f"type {k}" for k in kind], y, p, [str(i // each) for i in range(len(y))]


def judge(seed=0, least=20, **options):
    values, y, p, groups = draw(seed, **options)
    return by_subgroup("skin", values, Accuracy(), y, p, groups, seed=seed, resamples=200, least=least)


def test_a_gap_is_found_and_named():
    found = judge(skill=(0.95, 0.95, 0.6))
    assert found.worst == "type 2"
    cell = next(one for one in found.cells if one.name == "type 2")
    assert cell.low < cell.value < cell.high < 0.8
    assert cell.gap < -0.2
    assert cell.p < 0.01
    assert found.p < 0.02
    assert found.largest_gap > 0.25


def test_equal_cells_are_seldom_called_unequal():
    assert sum(judge(seed).p < 0.05 for seed in range(40)) <= 6


def test_small_cells_are_suppressed():
    found = judge(least=45)
    small = [one for one in found.cells if not one.assessable]
    assert small
    assert all(math.isnan(one.value) and math.isnan(one.p) and one.n_groups < 45 for one in small)


def test_what_is_not_recorded_is_a_cell_and_one_cell_has_no_gap():
    _, y, p, groups = draw(1)
    found = by_subgroup("sex", [None] * len(y), Accuracy(), y, p, groups, seed=0, resamples=20)
    assert [one.name for one in found.cells] == ["not recorded"]
    assert math.isnan(found.largest_gap)
    assert math.isnan(found.p)


def hard_class_in_one_cell(seed=0):
    """Both sexes are found equally well, class by class; the hardest class stands among women only."""
    random = np.random.default_rng(seed)
    values = np.repeat(["f", "m"], 300)
    y = np.concatenate([random.integers(0, 3, 300), random.integers(0, 2, 300)])
    right = random.random(600) < np.array([0.9, 0.9, 0.2])[y]
    p = np.full((600, 3), 0.1)
    p[np.arange(600), np.where(right, y, (y + 1) % 3)] = 0.8
    return values.tolist(), y, p, [str(i) for i in range(600)]


def test_a_class_that_one_cell_lacks_makes_no_gap():
    for seed in range(3):
        values, y, p, groups = hard_class_in_one_cell(seed)
        found = by_subgroup("sex", values, BalancedAccuracy(), y, p, groups, seed=seed, resamples=200)
        women, men = found.cells
        assert (women.classes, men.classes) == (2, 2)
        assert women.value < 0.75 < men.value  # each cell's own value is over its own classes
        recall = [[(p.argmax(1) == y)[(np.array(values) == v) & (y == c)].mean() for c in (0, 1)] for v in "fm"]
        assert women.gap == pytest.approx(np.mean(recall[0]) - np.mean(recall[1]))
        assert found.largest_gap == pytest.approx(abs(women.gap))
        assert found.p > 0.01


def test_three_cells_are_compared_pair_by_pair_and_disjoint_classes_not_at_all():
    values = ["a"] * 40 + ["b"] * 40 + ["c"] * 40
    y = np.repeat([0, 1, 1], 40)
    p = np.eye(2)[y] * 0.8 + 0.1
    p[80:90] = p[80:90][:, ::-1]
    groups = [str(i) for i in range(120)]
    found = by_subgroup("site", values, BalancedAccuracy(), y, p, groups, seed=0, resamples=200)
    assert found.largest_gap == pytest.approx(0.25)  # b against c: a shares no class with them
    assert found.cells[0].classes == 0
    assert math.isnan(found.cells[0].gap)
    alone = by_subgroup("site", values[:80], BalancedAccuracy(), y[:80], p[:80], groups[:80], seed=0, resamples=50)
    assert math.isnan(alone.largest_gap)
    assert math.isnan(alone.p)


def test_a_small_cell_beside_a_large_one_is_not_called_different_more_often_than_stated():
    random, rejected, trials = np.random.default_rng(0), 0, 120
    for seed in range(trials):
        y = random.choice(4, 221, p=[0.5, 0.3, 0.15, 0.05])
        p = np.eye(4)[np.where(random.random(221) < 0.7, y, (y + 1) % 4)] * 0.6 + 0.1
        values = ["few"] * 21 + ["many"] * 200
        found = by_subgroup(
            "sex", values, BalancedAccuracy(), y, p, list(map(str, range(221))), seed=seed, resamples=60
        )
        rejected += found.cells[0].p < 0.05
    assert stats.binom.sf(rejected - 1, trials, 0.06) > 0.005, rejected
