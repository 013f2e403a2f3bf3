"""A drop is found where it is, over the classes that both tiers have, paired where patients stand in both."""

import math

import numpy as np
import pytest

from skinframe.evaluation.discrimination import Accuracy, BalancedAccuracy
from skinframe.evaluation.performance_by_tier import by_tier
from skinframe.evaluation.proper_scores import NLL

TIERS = ("T1", "T3", "T4")


def draw(seed, skill=(0.9, 0.9, 0.9), patients=60, each=3):
    """Return tiers, labels, probabilities and patients; every tier has patients of its own."""
    random = np.random.default_rng(seed)
    tier = np.repeat(np.arange(3), patients * each)
    y = random.integers(0, 2, len(tier))
    right = random.random(len(y)) < np.array(skill)[tier]
    p = np.eye(2)[np.where(right, y, 1 - y)] * 0.8 + 0.1
    return [TIERS[t] for t in tier], y, p, [str(i // each) for i in range(len(y))]


def judge(seed=0, least=20, reference="T1", metric=None, **options):
    values, y, p, groups = draw(seed, **options)
    metric = metric or Accuracy()
    return by_tier(values, reference, metric, y, p, groups, seed=seed, resamples=200, least=least)


@pytest.mark.parametrize("metric", [BalancedAccuracy(), NLL()])
def test_a_drop_is_found_and_is_positive_where_it_is_worse(metric):
    first, near, far = judge(skill=(0.95, 0.95, 0.6), metric=metric)
    assert (first.name, near.name, far.name) == TIERS
    assert math.isnan(first.drop)
    assert far.p < 0.01
    assert 0 < far.drop_low < far.drop < far.drop_high
    assert abs(near.drop) < far.drop_low
    assert near.p > 0.05
    assert far.drop == pytest.approx(abs(first.value - far.value))


def test_equal_tiers_are_seldom_said_to_fall():
    assert sum(min(row.p for row in judge(seed)[1:]) < 0.05 for seed in range(40)) <= 6


def test_the_reference_stands_first_whatever_its_name():
    assert [row.name for row in judge(reference="T3")] == ["T3", "T1", "T4"]
    with pytest.raises(ValueError, match="'T2' must be among them"):
        judge(reference="T2")


def test_small_tiers_are_suppressed_and_without_a_reference_nothing_falls():
    values, y, p, groups = draw(3)
    small = [value for value, keep in zip(values, np.arange(len(values)) >= 150, strict=True) if keep]
    y, p, groups = y[150:], p[150:], groups[150:]  # ten patients of T1 are left
    first, near, far = by_tier(small, "T1", Accuracy(), y, p, groups, seed=0, resamples=50)
    assert (first.n, first.n_groups, first.assessable) == (30, 10, False)
    assert math.isnan(first.value)
    assert near.assessable
    assert near.value > 0.5
    assert all(math.isnan(row.drop) and math.isnan(row.p) for row in (near, far))


def test_patients_in_both_tiers_make_the_difference_paired():
    """The same patients in both tiers, right or wrong as a patient: what they have in common falls out."""
    random = np.random.default_rng(0)
    skill = np.where(random.random(80) < 0.5, 0.95, 0.2)
    patient = np.tile(np.repeat(np.arange(80), 4), 2)
    values = ["T1"] * 320 + ["T2"] * 320
    y = random.integers(0, 2, 640)
    p = np.eye(2)[np.where(random.random(640) < skill[patient], y, 1 - y)] * 0.8 + 0.1
    apart = [f"{tier}{one}" for tier, one in zip(values, patient, strict=True)]
    together, alone = (
        by_tier(values, "T1", Accuracy(), y, p, groups, seed=0, resamples=400)[1]
        for groups in (patient.astype(str).tolist(), apart)
    )
    assert (together.shared, alone.shared) == (80, 0)
    assert together.drop == alone.drop
    assert together.drop_high - together.drop_low < 0.75 * (alone.drop_high - alone.drop_low)


def test_a_drop_is_over_the_classes_that_both_tiers_have():
    """Tier T3 lacks class 2, which nobody ever gets right: that is no gain of T3."""
    values = ["T1"] * 300 + ["T3"] * 200
    y = np.concatenate([np.tile([0, 1, 2], 100), np.tile([0, 1], 100)])
    p = np.full((500, 3), 0.1)
    p[np.arange(500), np.where(y == 2, 0, y)] = 0.8
    first, far = by_tier(values, "T1", BalancedAccuracy(), y, p, [str(i) for i in range(500)], seed=0, resamples=50)
    assert first.value == pytest.approx(2 / 3)
    assert far.value == 1
    assert far.classes == 2
    assert far.drop == 0
