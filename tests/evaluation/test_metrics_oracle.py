"""Each metric equals an independent implementation, over random cases with ties, empty classes and weights."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skinframe.evaluation.calibration_error import ECE
from skinframe.evaluation.discrimination import Accuracy, BalancedAccuracy, MacroAUROC, MacroF1
from skinframe.evaluation.proper_scores import NLL, BalancedNLL, Brier


def oracle(name):
    """Return a function of sklearn.metrics that is imported at its first call, so that collection stays fast."""

    def call(*args, **options):
        from sklearn import metrics

        return getattr(metrics, name)(*args, **options)

    return call


@st.composite
def cases(draw):
    """Labels [N], probabilities [N, C] on a coarse grid (so that ties are common) and whole-number weights [N]."""
    n, classes = draw(st.integers(2, 40)), draw(st.integers(2, 6))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    labels = random.integers(0, draw(st.integers(1, classes)), n)
    parts = random.integers(0, draw(st.sampled_from([2, 5, 1000])), (n, classes)) + random.integers(0, 2, (n, 1))
    parts = np.where(parts.sum(axis=1, keepdims=True) == 0, 1, parts).astype(float)
    weights = random.integers(0, 4, n).astype(float) if draw(st.booleans()) else np.ones(n)
    weights[0] += 1
    return labels, parts / parts.sum(axis=1, keepdims=True), weights


def auroc_oracle(labels, probabilities, weights):
    areas = []
    for c in range(probabilities.shape[1]):
        positive = labels == c
        if 0 < weights[positive].sum() < weights.sum():
            areas.append(oracle("roc_auc_score")(positive, probabilities[:, c], sample_weight=weights))
    return np.mean(areas) if areas else np.nan


def f1_oracle(labels, probabilities, weights):
    used = weights > 0
    named = probabilities.argmax(axis=1)
    return oracle("f1_score")(labels[used], named[used], average="macro", sample_weight=weights[used], zero_division=0)


def brier_oracle(labels, probabilities, weights):
    return sum(
        np.average(((labels == c) - probabilities[:, c]) ** 2, weights=weights) for c in range(probabilities.shape[1])
    )


def ece_oracle(labels, probabilities, weights, bins=15):
    total, found = weights.sum(), 0.0
    confidence, hit = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    for b in range(bins):
        inside = (confidence > b / bins) & (confidence <= (b + 1) / bins)
        if weights[inside].sum() > 0:
            gap = np.average(hit[inside], weights=weights[inside]) - np.average(
                confidence[inside], weights=weights[inside]
            )
            found += weights[inside].sum() / total * abs(gap)
    return found


def balanced_nll_oracle(labels, probabilities, weights):
    each = [
        oracle("log_loss")(
            labels[labels == c],
            probabilities[labels == c],
            sample_weight=weights[labels == c],
            labels=range(probabilities.shape[1]),
        )
        for c in range(probabilities.shape[1])
        if weights[labels == c].sum() > 0
    ]
    return np.mean(each)


ORACLES = {
    "accuracy": (Accuracy(), lambda y, p, w: oracle("accuracy_score")(y, p.argmax(axis=1), sample_weight=w)),
    "balanced_accuracy": (
        BalancedAccuracy(),
        lambda y, p, w: oracle("balanced_accuracy_score")(y, p.argmax(axis=1), sample_weight=w),
    ),
    "macro_auroc": (MacroAUROC(), auroc_oracle),
    "macro_f1": (MacroF1(), f1_oracle),
    "nll": (NLL(), lambda y, p, w: oracle("log_loss")(y, p, sample_weight=w, labels=range(p.shape[1]))),
    "balanced_nll": (BalancedNLL(), balanced_nll_oracle),
    "brier": (Brier(), brier_oracle),
    "ece": (ECE(), ece_oracle),
}


@pytest.mark.parametrize("name", ORACLES)
@settings(max_examples=250, deadline=None, derandomize=True)
@given(case=cases())
def test_equals_the_oracle(name, case):
    labels, probabilities, weights = case
    metric, expected = ORACLES[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the oracle warns of empty classes, which are wanted here
        wanted = expected(labels, probabilities, weights)
    assert metric.value(labels, probabilities, weights) == pytest.approx(wanted, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("name", ORACLES)
@settings(max_examples=50, deadline=None, derandomize=True)
@given(case=cases())
def test_weights_are_multiplicities(name, case):
    """A weight of 2 is the sample twice, a weight of 0 is the sample gone: what makes a resample a resample."""
    labels, probabilities, weights = case
    metric = ORACLES[name][0]
    rows = np.repeat(np.arange(len(labels)), weights.astype(int))
    copied = metric.value(labels[rows], probabilities[rows], np.ones(len(rows)))
    assert metric.value(labels, probabilities, weights) == pytest.approx(copied, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("name", ORACLES)
@settings(max_examples=50, deadline=None, derandomize=True)
@given(case=cases())
def test_many_resamples_at_once_equal_one_by_one(name, case):
    labels, probabilities, weights = case
    metric = ORACLES[name][0]
    many = np.stack([weights, np.ones(len(labels)), np.roll(weights, 1)])
    one_by_one = [metric.value(labels, probabilities, row) for row in many]
    np.testing.assert_allclose(metric.over(labels, probabilities)(many), one_by_one, atol=1e-12)
