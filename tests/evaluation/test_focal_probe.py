"""The focal probe: its loss and gradient beside those that models are trained with, and where its descent ends."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skinframe_cfa.classification.focal import focal

from skinframe.evaluation.baselines import focal_fit, focal_sum, linear_probe

GAMMAS = (0.0, 1.0, 2.0, 3.5)


@settings(deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.sampled_from(GAMMAS), st.sampled_from([0.1, 1.0, 30.0]))
def test_loss_and_gradient_are_those_that_models_are_trained_with(seed: int, gamma: float, scale: float) -> None:
    random = np.random.default_rng(seed)
    logits, labels = scale * random.normal(size=(7, 4)), random.integers(4, size=7)
    leaf = torch.tensor(logits, requires_grad=True)
    expected = focal(leaf, torch.tensor(labels), gamma, reduction="sum")
    expected.backward()
    value, slope = focal_sum(logits, labels, gamma)
    np.testing.assert_allclose(value, expected.item(), rtol=1e-10)
    np.testing.assert_allclose(slope, leaf.grad.numpy(), rtol=1e-8, atol=1e-12)


def sample(seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    labels = random.integers(3, size=300)
    return random.normal(size=(300, 6)) + 0.8 * np.eye(6)[labels], labels


@pytest.mark.parametrize("gamma", GAMMAS)
def test_the_descent_ends_where_the_penalised_loss_is_flat(gamma: float) -> None:
    features, labels = sample(0)
    w, said = focal_fit(features, labels, np.zeros((3, 7)), strength=0.1, gamma=gamma)
    _, slope = focal_sum(features @ w[:, :-1].T + w[:, -1], labels, gamma)
    assert said == ()
    np.testing.assert_allclose(0.1 * slope.T @ features, -w[:, :-1], atol=2e-3)
    np.testing.assert_allclose(0.1 * slope.sum(axis=0), 0, atol=2e-3)


def probe(gamma: float, classes: int = 3) -> np.ndarray:
    (train, labels), (valid, truth), (test, _) = (sample(seed) for seed in (0, 1, 2))
    return linear_probe(
        train, labels, valid, truth, test, classes=classes, balanced=False, seed=1, gamma=gamma, strengths=(1.0,)
    ).test


def test_focal_loss_is_less_sure_than_cross_entropy_and_as_right() -> None:
    labels = sample(2)[1]
    plain, soft = probe(0.0), probe(2.0)
    assert soft.max(axis=1).mean() < plain.max(axis=1).mean() - 0.05
    assert abs((soft.argmax(axis=1) == labels).mean() - (plain.argmax(axis=1) == labels).mean()) < 0.03


def test_a_class_that_training_never_showed_is_possible() -> None:
    found = probe(2.0, classes=4)
    assert found.shape == (300, 4)
    assert 0 < found[:, 3].max() < 1e-12


def test_two_classes_work_as_three_do() -> None:
    random = np.random.default_rng(3)
    labels = random.integers(2, size=200)
    features = random.normal(size=(200, 3)) + labels[:, None]
    options = {"classes": 2, "balanced": False, "seed": 1, "strengths": (1.0,)}
    plain, soft = (
        linear_probe(features, labels, features, labels, features, gamma=gamma, **options).test for gamma in (0.0, 2.0)
    )
    assert ((soft[:, 1] > 0.5) == (plain[:, 1] > 0.5)).mean() > 0.95
    assert soft.max(axis=1).mean() < plain.max(axis=1).mean()
