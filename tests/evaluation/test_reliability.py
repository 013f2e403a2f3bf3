"""Bins add up to the calibration error, and the band holds calibrated models."""

import numpy as np
import pytest

from skinframe.evaluation.calibration_error import ECE
from skinframe.evaluation.reliability import reliability
from skinframe.evaluation.softmax import softmax


def case(seed, n=2000, sharper=1.0):
    random = np.random.default_rng(seed)
    logits = random.normal(size=(n, 4)) * 1.5
    law = softmax(logits)
    return (random.random(n)[:, None] >= np.cumsum(law, axis=1)[:, :-1]).sum(axis=1), softmax(sharper * logits)


def test_the_bins_are_those_of_the_calibration_error():
    labels, probabilities = case(0)
    bins = reliability(labels, probabilities, seed=1, draws=20)
    assert sum(one.count for one in bins) == 2000
    gap = sum(one.count * abs(one.accuracy - one.confidence) for one in bins) / 2000
    assert gap == pytest.approx(ECE().value(labels, probabilities, np.ones(2000)), abs=1e-12)
    assert all(one.low < one.confidence <= one.high and one.band_low <= one.band_high for one in bins)


def test_calibrated_models_lie_in_the_band_and_overconfident_ones_below_it():
    labels, probabilities = case(1)
    inside = [one.band_low <= one.accuracy <= one.band_high for one in reliability(labels, probabilities, seed=1)]
    assert np.mean(inside) > 0.8
    labels, probabilities = case(1, sharper=3.0)
    sure = [one for one in reliability(labels, probabilities, seed=1) if one.low > 0.6]
    assert len(sure) >= 5
    assert all(one.accuracy < one.band_low for one in sure)


def test_a_seed_gives_the_same_band_and_no_sample_no_bin():
    labels, probabilities = case(2, n=100)
    assert reliability(labels, probabilities, seed=1, draws=50) == reliability(labels, probabilities, seed=1, draws=50)
    assert reliability(labels[:0], probabilities[:0], seed=1) == ()
