"""Temperature scaling finds the one optimum, keeps the ranking, and says when it could not be fitted."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skinframe.errors import DataError
from skinframe.evaluation.calibrators import NoCalibration, Temperature, temperature_nll
from skinframe.evaluation.softmax import softmax


def case(seed, n=400, classes=5, sharpness=1.0):
    """Logits whose softmax at temperature `sharpness` is the law of the labels."""
    random = np.random.default_rng(seed)
    logits = random.normal(size=(n, classes)) * 2
    law = softmax(logits)
    labels = (random.random(n)[:, None] >= np.cumsum(law, axis=1)[:, :-1]).sum(axis=1)
    return logits * sharpness, labels


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), sharpness=st.floats(0.3, 5))
def test_the_temperature_is_a_minimum_and_no_worse_than_none(seed, sharpness):
    logits, labels = case(seed, sharpness=sharpness)
    found = Temperature().fit(logits, labels)["temperature"]
    here = temperature_nll(logits, labels, found)
    assert here <= temperature_nll(logits, labels, 1.0)
    assert all(here <= temperature_nll(logits, labels, found * step) + 1e-12 for step in (0.99, 0.9999, 1.0001, 1.01))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), scale=st.floats(0.3, 3))
def test_scaled_logits_scale_the_temperature(seed, scale):
    logits, labels = case(seed)
    one = Temperature().fit(logits, labels)["temperature"]
    assert Temperature().fit(scale * logits, labels)["temperature"] == pytest.approx(scale * one, rel=1e-5)


def test_a_known_temperature_is_found():
    logits, labels = case(0, n=20_000, sharpness=2.5)
    assert Temperature().fit(logits, labels)["temperature"] == pytest.approx(2.5, rel=0.05)


def test_equals_the_calibrator_of_scikit_learn():
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.frozen import FrozenEstimator
    from sklearn.linear_model import LogisticRegression

    random = np.random.default_rng(0)
    features = random.normal(size=(600, 6))
    labels = (features[:, 0] + random.normal(size=600) > 0).astype(int) + (features[:, 1] > 1)
    model = LogisticRegression(C=100).fit(3 * features[:200], labels[:200])
    try:
        oracle = CalibratedClassifierCV(FrozenEstimator(model), method="temperature").fit(features[200:], labels[200:])
    except ValueError:
        pytest.skip("this scikit-learn has no temperature scaling")
    logits = model.decision_function(features[200:])
    ours = Temperature().apply(logits, Temperature().fit(logits, labels[200:]))
    np.testing.assert_allclose(ours, oracle.predict_proba(features[200:]), atol=1e-4)


def test_ranks_and_sums_stay():
    logits, labels = case(1, sharpness=3)
    parameters = Temperature().fit(logits, labels)
    calibrated = Temperature().apply(logits, parameters)
    np.testing.assert_array_equal(calibrated.argsort(axis=1), logits.argsort(axis=1))
    np.testing.assert_allclose(calibrated.sum(axis=1), 1)


def test_fits_are_plain_json_and_repeat_bit_for_bit():
    logits, labels = case(2)
    first = Temperature().fit(logits, labels)
    assert json.loads(json.dumps(first)) == first == Temperature().fit(logits, labels)
    assert first["warnings"] == []


def test_separated_validation_warns_of_the_bound():
    labels = np.arange(30) % 3
    found = Temperature().fit(np.eye(3)[labels], labels)
    assert found["temperature"] == pytest.approx(0.05, rel=1e-3)
    assert "bound" in found["warnings"][0]


def test_huge_logits_do_not_overflow():
    probabilities = NoCalibration().apply(np.array([[1e5, -1e5, 0.0]]), {})
    np.testing.assert_array_equal(probabilities, [[1.0, 0.0, 0.0]])


def test_nothing_to_fit_on_is_a_data_error():
    with pytest.raises(DataError, match="no validation prediction"):
        Temperature().fit(np.zeros((0, 3)), np.zeros(0, dtype=int))


def test_bounds_must_hold_one():
    with pytest.raises(ValueError, match="0 < low < 1 < high"):
        Temperature.Config(low=2.0)


def test_none_is_the_softmax():
    logits, labels = case(3)
    assert NoCalibration().fit(logits, labels) == {}
    np.testing.assert_array_equal(NoCalibration().apply(logits, {}), softmax(logits))
