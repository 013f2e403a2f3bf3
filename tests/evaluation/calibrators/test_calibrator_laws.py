"""What holds for every calibrator: it repairs what it can express, nests what it extends, and its fit is plain JSON."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skinframe.errors import DataError
from skinframe.evaluation.calibrators import SINGLE_CLASS, BiasCorrectedTemperature, Dirichlet, Temperature, Vector
from skinframe.evaluation.metric_registration import CALIBRATORS
from skinframe.evaluation.one_vs_rest_calibrators import Beta, Isotonic
from skinframe.evaluation.proper_scores import log_losses
from skinframe.evaluation.softmax import log_softmax, softmax
from skinframe.roc import auroc
from skinframe.weighted_statistics import once

FITTED = [kind for kind in CALIBRATORS if kind.name != "none"]
seeds = st.integers(0, 10**6)


def draw(seed, n=300, classes=4, sharper=2.0, bias=0.8):
    random = np.random.default_rng(seed)
    z = random.normal(size=(n, classes)) * 1.5
    law = softmax(z)
    y = (random.random(n)[:, None] >= np.cumsum(law, axis=1)[:, :-1]).sum(axis=1)
    return sharper * z + bias * np.arange(classes), y


def nll(calibrator, z, y, fitted):
    return log_losses(y, calibrator.apply(z, fitted)).mean()


@pytest.mark.parametrize("kind", FITTED, ids=lambda kind: kind.name)
@settings(max_examples=12, deadline=None, derandomize=True)
@given(seed=seeds, classes=st.integers(2, 5))
def test_probabilities_are_a_law_shifts_are_nothing_and_the_fit_repeats(kind, seed, classes):
    z, y = draw(seed, n=120, classes=classes)
    fitted = kind().fit(z, y)
    assert json.loads(json.dumps(fitted)) == fitted == kind().fit(z, y)
    p = kind().apply(z, fitted)
    assert (p >= 0).all()
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-12)
    shifted = kind().apply(z + np.random.default_rng(0).normal(size=(len(z), 1)) * 100, fitted)
    np.testing.assert_allclose(shifted, p, atol=1e-9)
    extreme = kind().apply(np.array([[1e5, *[-1e5] * (classes - 1)]]), fitted)
    assert np.isfinite(extreme).all()


@pytest.mark.parametrize("kind", [BiasCorrectedTemperature, Vector, Dirichlet], ids=lambda kind: kind.name)
@settings(max_examples=12, deadline=None, derandomize=True)
@given(seed=seeds, sharper=st.floats(0.3, 4))
def test_more_parameters_are_never_worse_than_temperature_where_they_are_fitted(kind, seed, sharper):
    z, y = draw(seed, sharper=sharper)
    plain = nll(Temperature(), z, y, Temperature().fit(z, y))
    assert nll(kind(), z, y, kind().fit(z, y)) <= plain + 1e-12


@pytest.mark.parametrize("kind", FITTED, ids=lambda kind: kind.name)
def test_none_is_worse_than_no_calibration_where_it_is_fitted(kind):
    for seed in range(5):
        z, y = draw(seed, n=600, classes=2)
        assert nll(kind(), z, y, kind().fit(z, y)) <= log_losses(y, softmax(z)).mean() + 1e-12


@pytest.mark.parametrize("kind", FITTED, ids=lambda kind: kind.name)
def test_bent_probabilities_are_mended_on_new_samples(kind):
    z, y = draw(1, n=4000)
    new, truth = draw(2, n=4000)
    before, after = log_losses(truth, softmax(new)).mean(), nll(kind(), new, truth, kind().fit(z, y))
    assert after < before - 0.1


def test_a_bias_is_found_that_a_temperature_cannot_express():
    z, y = draw(3, n=20_000, sharper=1.0)
    fitted = BiasCorrectedTemperature(BiasCorrectedTemperature.Config(ridge=0.01)).fit(z, y)
    bias = np.array(fitted["bias"])
    np.testing.assert_allclose(bias - bias.mean(), -0.8 * (np.arange(4) - 1.5), atol=0.1)
    assert fitted["temperature"] == pytest.approx(1, rel=0.05)


def test_dirichlet_becomes_vector_as_its_penalty_grows():
    z, y = draw(4)
    stiff = Dirichlet(Dirichlet.Config(off_diagonal=1e10))
    found, wanted = stiff.fit(z, y), Vector().fit(z, y)
    np.testing.assert_allclose(np.diag(found["matrix"]), wanted["factor"], atol=1e-3)
    np.testing.assert_allclose(stiff.apply(z, found), Vector().apply(z, wanted), atol=1e-3)
    assert nll(Dirichlet(), z, y, Dirichlet().fit(z, y)) < nll(Vector(), z, y, wanted)


def test_vector_and_dirichlet_settle_where_the_slope_is_nothing():
    """At the minimum of a smooth convex cost no small step helps: so the gradients are right."""
    z, y = draw(5)
    logs = log_softmax(z)
    u = 1 / Temperature().fit(z, y)["temperature"]
    found = Vector().fit(z, y)

    def cost(a, b):
        return log_losses(y, softmax(a * logs + b)).sum() + 1.0 * (((a - u) ** 2).sum() + (b**2).sum())

    a, b = np.array(found["factor"]), np.array(found["bias"])
    here = cost(a, b)
    for k in range(4):
        for step in (1e-3, -1e-3):
            moved = step * np.eye(4)[k]
            assert cost(a + moved, b) > here
            assert cost(a, b + moved) > here


@pytest.mark.parametrize("kind", [Isotonic, Beta], ids=lambda kind: kind.name)
def test_rising_maps_keep_the_order_of_two_classes(kind):
    z, y = draw(6, classes=2, n=500)
    before, after = softmax(z)[:, 1], kind().apply(z, kind().fit(z, y))[:, 1]
    assert (np.diff(after[np.argsort(before)]) >= -1e-12).all()
    ones = np.ones(len(y))
    if kind is Beta:
        assert once(auroc(y == 1, after), ones) == pytest.approx(once(auroc(y == 1, before), ones), abs=1e-12)


def test_steps_are_those_of_scikit_learn_and_few_samples_are_warned_of():
    from sklearn.isotonic import IsotonicRegression

    z, y = draw(7, classes=2)
    fitted = Isotonic().fit(z, y)
    p = softmax(z)[:, 1]
    wanted = IsotonicRegression(y_min=1 / 302, y_max=301 / 302).fit(p, y).predict(p)
    np.testing.assert_allclose(Isotonic().apply(z, fitted)[:, 1], wanted, atol=1e-9)
    assert "about 1,000 samples of each class" in fitted["warnings"][0]


def test_a_calibrator_that_names_other_classes_says_so():
    z, y = draw(8, bias=3.0)
    said = Dirichlet().fit(z, y)["warnings"]
    assert any("names another class" in text for text in said)
    assert Temperature().fit(z, y)["warnings"] == []


@pytest.mark.parametrize("kind", FITTED, ids=lambda kind: kind.name)
def test_nothing_to_fit_on_is_a_data_error_and_a_class_that_is_absent_is_not(kind):
    with pytest.raises(DataError, match="to fit"):
        kind().fit(np.zeros((0, 3)), np.zeros(0, dtype=int))
    z, y = draw(9)
    assert np.isfinite(kind().apply(z, kind().fit(z, np.minimum(y, 1)))).all()


def test_penalties_must_be_positive():
    with pytest.raises(ValueError, match="ridge must be positive, got 0"):
        Vector.Config(ridge=0)
    with pytest.raises(ValueError, match="off_diagonal must be positive"):
        Dirichlet.Config(off_diagonal=-1)


@pytest.mark.parametrize("kind", [BiasCorrectedTemperature, Vector, Beta, Dirichlet], ids=lambda kind: kind.name)
def test_enough_data_outvote_the_penalty(kind):
    """Class shares bent by a bias of up to 4: what is left of the error falls as the samples grow."""
    new, _ = draw(11, n=5_000, sharper=1.0, bias=2.0)
    law = softmax(new - 2.0 * np.arange(4))

    def excess(n):
        z, y = draw(12, n=n, sharper=1.0, bias=2.0)
        q = kind().apply(new, kind().fit(z, y))
        return float((law * np.log(law / np.maximum(q, 1e-300))).sum(axis=1).mean())

    few, many = excess(100), excess(5_000)
    assert many < few
    if kind is not Beta:  # one class against the rest, then normalised, cannot be exact
        assert many < min(few / 3, 0.004)


@pytest.mark.parametrize("kind", [BiasCorrectedTemperature, Vector, Dirichlet, Beta], ids=lambda kind: kind.name)
def test_the_penalty_is_worth_the_same_number_of_samples_whatever_their_number(kind):
    z, y = draw(13, n=60)
    again = [np.concatenate([part] * 10) for part in (z, y)]
    weak = kind(kind.Config(ridge=0.1, off_diagonal=1.0) if kind is Dirichlet else kind.Config(ridge=0.1))
    strong = kind(kind.Config(ridge=1.0, off_diagonal=10.0) if kind is Dirichlet else kind.Config(ridge=1.0))
    one, ten = weak.apply(z, weak.fit(z, y)), strong.apply(z, strong.fit(*again))
    np.testing.assert_allclose(one, ten, atol=1e-4)


@pytest.mark.parametrize("kind", FITTED, ids=lambda kind: kind.name)
@pytest.mark.parametrize("label", [0, 3])
def test_predictions_of_one_class_fit_nothing(kind, label):
    z, _ = draw(14)
    fitted = kind().fit(z, np.full(len(z), label))
    assert fitted["warnings"] == [SINGLE_CLASS]
    np.testing.assert_allclose(kind().apply(z, fitted), softmax(z), atol=1e-12)


def test_a_temperature_at_a_bound_says_which_and_what_was_seen():
    _, y = draw(15)
    perfect = np.eye(4)[y]
    (low,) = Temperature().fit(perfect, y)["warnings"]
    assert "lower bound 0.05" in low
    assert "0 wrong, 4 classes" in low
    (high,) = Temperature().fit(-40 * np.eye(4)[y], y)["warnings"]
    assert "upper bound 20" in high
    assert "300 wrong" in high
    assert "separated" not in low + high
