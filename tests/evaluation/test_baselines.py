"""Reference rows: what each must score where the answer is known."""

import numpy as np
import pytest

from skinframe.errors import DataError
from skinframe.evaluation.baselines import linear_probe, prior, zero_shot

COMMON, RARE = 300, 20


def case(seed, scale=1.0):
    """Two overlapping classes, one of them rare, in the first of five features."""
    random = np.random.default_rng(seed)
    labels = np.repeat([0, 1], [COMMON, RARE])
    features = random.normal(size=(COMMON + RARE, 5))
    features[:, 0] += 1.5 * labels
    return features * scale + 3.0, labels


def probe(balanced=False, classes=2, scale=1.0, **options):
    (train, labels), (valid, labels_valid), (test, _) = (case(seed, scale) for seed in (0, 1, 2))
    return linear_probe(train, labels, valid, labels_valid, test, classes=classes, balanced=balanced, seed=1, **options)


def test_the_prior_is_the_training_share_and_never_zero():
    rows = prior(np.array([0, 0, 0, 1]), 3, 2)
    np.testing.assert_allclose(rows, [[4 / 7, 2 / 7, 1 / 7]] * 2)


def test_zero_shot_is_the_softmax_of_scaled_cosines():
    images, texts = np.array([[2.0, 0.0], [0.0, 0.5]]), np.array([[1.0, 0.0], [0.0, 3.0]])
    odds = np.exp(4.0)
    np.testing.assert_allclose(zero_shot(images, texts, 4.0), np.array([[odds, 1], [1, odds]]) / (odds + 1))


def test_the_probe_learns_and_does_the_same_twice():
    first, again = probe(), probe()
    np.testing.assert_array_equal(first.test, again.test)
    np.testing.assert_allclose(first.test.sum(axis=1), 1.0)
    labels = case(2)[1]
    assert first.test[labels == 1, 1].mean() > 2 * first.test[labels == 0, 1].mean()
    assert first.warnings == ()


def test_the_balanced_probe_names_the_rare_class_more_often():
    plain, balanced = probe(), probe(balanced=True)
    assert (balanced.test.argmax(axis=1) == 1).sum() > 2 * (plain.test.argmax(axis=1) == 1).sum()


def test_the_scale_of_the_features_does_not_matter():
    np.testing.assert_allclose(probe(scale=1000.0).test, probe().test, atol=1e-4)


def test_the_strength_is_the_one_with_the_lowest_validation_nll():
    labels = case(1)[1]
    costs = {c: -np.log(probe(strengths=(c,)).valid[np.arange(len(labels)), labels]).mean() for c in (1e-4, 0.1, 10.0)}
    assert probe(strengths=tuple(costs)).strength == min(costs, key=costs.get)


def test_rows_that_do_not_choose_are_as_new_to_the_probe_as_those_of_the_test():
    (train, labels), (valid, truth), (test, _) = (case(seed) for seed in (0, 1, 2))
    chooses = np.arange(len(truth)) % 2 == 0
    other = np.where(chooses, truth, 1 - truth)

    def fitted(valid, truth, **marked):
        return linear_probe(train, labels, valid, truth, test, classes=2, balanced=False, seed=1, **marked)

    found = fitted(valid, other, chooses=chooses)
    assert found.strength == fitted(valid[chooses], truth[chooses]).strength != fitted(valid, other).strength
    assert len(found.valid) == len(truth)


def test_two_worse_strengths_in_a_row_end_the_search():
    assert probe(strengths=(1e-2, 1e-5, 0.1)).strength == 0.1
    assert probe(strengths=(1e-2, 1e-5, 1e-6, 0.1)).strength == 1e-2


def test_a_class_that_training_never_showed_is_possible_but_not_predicted():
    found = probe(classes=4)
    assert found.test.shape[1] == 4
    assert (found.test[:, 2:] > 0).all()
    assert found.test[:, 2:].max() < 1e-12


def test_a_constant_feature_is_harmless_and_one_class_is_refused():
    train, labels = case(0)
    train[:, 4] = 7.0
    assert np.isfinite(linear_probe(train, labels, train, labels, train, classes=2, balanced=False, seed=1).test).all()
    with pytest.raises(DataError, match="needs two classes"):
        linear_probe(train, labels * 0, train, labels, train, classes=2, balanced=False, seed=1)


def test_several_views_are_answered_by_the_mean_of_their_log_probabilities():
    (train, labels), (valid, truth), (test, _) = (case(seed) for seed in (0, 1, 2))

    def fitted(test):
        return linear_probe(train, labels, valid, truth, test, classes=2, balanced=False, seed=1, strengths=(0.1,)).test

    views = np.stack([test, test[:, ::-1]])
    odds = np.exp(np.mean([np.log(fitted(view)) for view in views], axis=0))
    np.testing.assert_allclose(fitted(views), odds / odds.sum(axis=1, keepdims=True), atol=1e-12)
    np.testing.assert_allclose(fitted(test[None]), fitted(test), atol=1e-12)


def test_features_are_standardised_by_training_rows_alone():
    """Neither the mean nor the spread of validation or test rows is in the fit; only the choice of C may see them."""
    (train, labels), (valid, truth), (test, _) = (case(seed) for seed in (0, 1, 2))

    def fitted(valid, test):
        options = {"classes": 2, "balanced": False, "seed": 1, "strengths": (0.1,)}
        return linear_probe(train, labels, valid, truth, test, **options)

    found, other = fitted(valid, test), fitted(9 * valid + 50, 7 - 3 * test)
    np.testing.assert_array_equal(found.weights.mean, train.mean(axis=0))
    np.testing.assert_array_equal(found.weights.spread, train.std(axis=0))
    np.testing.assert_array_equal(found.weights.w, other.weights.w)
    np.testing.assert_array_equal(found.weights.mean, other.weights.mean)
    np.testing.assert_allclose(found.weights.predict(test), found.test, atol=1e-12)
