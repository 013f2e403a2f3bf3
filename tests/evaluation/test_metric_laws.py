"""Known values, limits and invariances of the metrics."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skinframe.evaluation.calibration_error import ECE, bin_of
from skinframe.evaluation.discrimination import MacroAUROC
from skinframe.evaluation.metric_registration import CALIBRATORS, METRICS
from skinframe.evaluation.proper_scores import NLL

DEFAULTS = [kind for kind in METRICS if kind.by_default]


def sample(seed, n=60, classes=4):
    random = np.random.default_rng(seed)
    return random.integers(0, classes, n), random.dirichlet(np.ones(classes), n)


def test_names_are_unique_and_documented():
    for kinds in (METRICS, CALIBRATORS):
        assert len({kind.name for kind in kinds}) == len(kinds)
        assert all(kind.__doc__ for kind in kinds)


@pytest.mark.parametrize("kind", DEFAULTS)
def test_nothing_to_score_is_nan_and_never_zero(kind):
    labels, probabilities = sample(0)
    assert math.isnan(kind().value(labels, probabilities, np.zeros(len(labels))))
    assert math.isnan(kind().value(labels[:0], probabilities[:0], np.zeros(0)))


@pytest.mark.parametrize("kind", DEFAULTS)
def test_a_perfect_model_has_the_best_value(kind):
    labels, _ = sample(1)
    best = 1.0 if kind.higher_is_better else 0.0
    assert kind().value(labels, np.eye(4)[labels], np.ones(len(labels))) == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize("kind", DEFAULTS)
@settings(max_examples=30, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6))
def test_order_and_duplication_of_samples_change_nothing(kind, seed):
    labels, probabilities = sample(seed)
    metric, ones = kind(), np.ones(len(labels))
    value = metric.value(labels, probabilities, ones)
    order = np.random.default_rng(seed).permutation(len(labels))
    assert metric.value(labels[order], probabilities[order], ones) == pytest.approx(value, abs=1e-12)
    assert metric.value(labels, probabilities, 3 * ones) == pytest.approx(value, abs=1e-12)


def test_auroc_is_undefined_where_a_single_class_is_there():
    _, probabilities = sample(2)
    assert math.isnan(MacroAUROC().value(np.zeros(60, dtype=int), probabilities, np.ones(60)))


def test_auroc_of_constant_scores_is_a_half():
    labels, _ = sample(3)
    assert MacroAUROC().value(labels, np.full((60, 4), 0.25), np.ones(60)) == 0.5


@settings(max_examples=50, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6))
def test_auroc_sees_only_ranks(seed):
    labels, probabilities = sample(seed)
    ones = np.ones(len(labels))
    bent = MacroAUROC().value(labels, np.log(probabilities) * 7 - 2, ones)
    assert bent == pytest.approx(MacroAUROC().value(labels, probabilities, ones), abs=1e-12)


def test_bins_are_closed_on_the_right_and_one_is_in_the_last():
    assert bin_of(np.array([0.0, 1 / 15, np.nextafter(1 / 15, 1), 14 / 15, 1.0]), 15).tolist() == [0, 0, 1, 13, 14]


@settings(max_examples=50, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), bins=st.integers(1, 20))
def test_ece_grows_with_nested_bins_and_with_one_bin_is_the_plain_gap(seed, bins):
    labels, probabilities = sample(seed)
    ones = np.ones(len(labels))
    coarse = ECE(ECE.Config(bins=bins)).value(labels, probabilities, ones)
    assert coarse <= ECE(ECE.Config(bins=2 * bins)).value(labels, probabilities, ones) + 1e-12
    hit = probabilities.argmax(axis=1) == labels
    plain = abs(hit.mean() - probabilities.max(axis=1).mean())
    assert ECE(ECE.Config(bins=1)).value(labels, probabilities, ones) == pytest.approx(plain, abs=1e-12)


def test_a_probability_of_zero_costs_much_but_not_infinity():
    value = NLL().value(np.array([0, 1]), np.array([[0.0, 1.0], [0.0, 1.0]]), np.ones(2))
    assert 17 < value < 19


def test_bins_must_be_positive():
    with pytest.raises(ValueError, match="bins must be at least 1"):
        ECE.Config(bins=0)
