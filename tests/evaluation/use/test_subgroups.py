"""Gaps are found where they are, small cells are not judged, and luck is called luck."""

import math

import numpy as np

from skinframe.evaluation.discrimination import Accuracy
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
