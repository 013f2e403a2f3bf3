"""Focal loss and cross entropy: identities, limits, and the way back to the posterior."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skinframe_cfa.classification.cross_entropy import CrossEntropy, cross_entropy
from skinframe_cfa.classification.focal import Focal, focal
from skinframe_cfa.classification.posterior_correction import focal_to_posterior
from torch.nn import functional as F

from skinframe.testing import integers, tensors

law = settings(deadline=None, derandomize=True, max_examples=40)
SHAPE = (5, 4)
LOGITS, LABELS = tensors(SHAPE, -20, 20), integers((5,), 0, 3)
GAMMA = st.floats(0, 5)
WEIGHTS = torch.tensor([0.3, 1.0, 2.0, 0.7], dtype=torch.float64)


def test_by_hand():
    logits = torch.tensor([[math.log(3.0), 0.0]], dtype=torch.float64)  # p = 3/4, 1/4
    assert focal(logits, torch.tensor([0]), 2.0).item() == pytest.approx(-(0.25**2) * math.log(0.75))
    assert focal(logits, torch.tensor([1]), 1.0).item() == pytest.approx(-0.75 * math.log(0.25))


@law
@given(logits=LOGITS, labels=LABELS)
def test_gamma_zero_is_cross_entropy(logits, labels):
    ours = focal(logits, labels, 0.0, WEIGHTS[labels], "weighted_mean")
    assert torch.allclose(ours, F.cross_entropy(logits, labels, weight=WEIGHTS), rtol=1e-10)
    assert torch.allclose(ours, cross_entropy(logits, labels, WEIGHTS[labels], "weighted_mean"), rtol=1e-10)


@law
@given(logits=LOGITS, labels=LABELS, gamma=GAMMA, more=GAMMA)
def test_between_zero_and_cross_entropy_and_falling_in_gamma(logits, labels, gamma, more):
    ce = cross_entropy(logits, labels, WEIGHTS[labels], "none")
    less = focal(logits, labels, gamma, WEIGHTS[labels], "none")
    least = focal(logits, labels, gamma + more, WEIGHTS[labels], "none")
    slack = 1e-12 * (1 + ce)
    assert (least >= 0).all()
    assert (least <= less + slack).all()
    assert (less <= ce + slack).all()


@law
@given(logits=LOGITS, labels=LABELS, gamma=GAMMA, factor=st.floats(0.1, 10))
def test_scaling_the_weights(logits, labels, gamma, factor):
    for reduction, expected in (("sum", factor), ("mean", factor), ("weighted_mean", 1.0)):
        one = focal(logits, labels, gamma, WEIGHTS[labels], reduction)
        assert torch.allclose(focal(logits, labels, gamma, factor * WEIGHTS[labels], reduction), expected * one)


@law
@given(logits=LOGITS, labels=integers((5,), -1, 3), gamma=GAMMA)
def test_reductions_agree(logits, labels, gamma):
    valid, weights = labels >= 0, WEIGHTS[labels.clamp(min=0)]
    each = focal(logits, labels, gamma, weights, "none")
    assert not each[~valid].any()
    assert torch.allclose(focal(logits, labels, gamma, weights, "sum"), each.sum())
    assert torch.allclose(focal(logits, labels, gamma, weights), each.sum() / max(1, int(valid.sum())))
    total = weights[valid].sum() if valid.any() else 1.0
    assert torch.allclose(focal(logits, labels, gamma, weights, "weighted_mean"), each.sum() / total)


def test_precise_where_the_label_is_nearly_certain():
    logits = torch.tensor([[50.0, 0.0]], dtype=torch.float64)
    q = math.exp(-50)  # 1 - p, which 1 - softmax would round to 0
    assert focal(logits, torch.tensor([0]), 1.0).item() == pytest.approx(q * q, rel=1e-9)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("label", [0, 1])
def test_saturated_scores_have_finite_gradients_in_float32(gamma, label):
    logits = torch.tensor([[1e4, -1e4, -1e4]], requires_grad=True)
    loss = focal(logits, torch.tensor([label]), gamma)
    (gradient,) = torch.autograd.grad(loss, logits)
    assert torch.isfinite(loss)
    assert torch.isfinite(gradient).all()


def test_a_masked_sample_may_even_be_nan():
    logits = torch.tensor([[0.3, -0.2], [math.nan, math.inf]], requires_grad=True)
    loss = focal(logits, torch.tensor([0, -100]), 2.0)
    assert torch.equal(loss, focal(logits[:1], torch.tensor([0]), 2.0))
    (gradient,) = torch.autograd.grad(loss, logits)
    assert torch.equal(gradient[1], torch.zeros(2))


def minimiser(posterior: torch.Tensor, gamma: float) -> torch.Tensor:
    """Find the scores that minimise the expected focal loss under a known posterior."""
    logits = posterior.log().clone().requires_grad_()
    optimiser = torch.optim.LBFGS([logits], max_iter=500, tolerance_grad=1e-12, line_search_fn="strong_wolfe")
    labels = torch.arange(len(posterior))

    def step():
        optimiser.zero_grad()
        risk = (posterior * focal(logits.expand(len(posterior), -1), labels, gamma, reduction="none")).sum()
        risk.backward()
        return risk

    optimiser.step(step)
    return logits.detach()


def test_posterior_is_recovered_from_the_population_minimiser():
    posterior = torch.tensor([0.5, 0.3, 0.15, 0.05], dtype=torch.float64)
    scores = minimiser(posterior, 5.0)
    assert scores.softmax(0).tolist() == pytest.approx([0.359, 0.303, 0.226, 0.112], abs=1e-3)  # under-confident
    assert focal_to_posterior(scores[None], 5.0)[0].tolist() == pytest.approx(posterior.tolist(), abs=1e-4)


@law
@given(logits=LOGITS, gamma=GAMMA)
def test_posterior_map_keeps_the_order_and_sharpens(logits, gamma):
    posterior = focal_to_posterior(logits, gamma)
    p = logits.softmax(1)
    assert torch.allclose(posterior.sum(1), torch.ones(5, dtype=torch.float64))
    assert torch.allclose(focal_to_posterior(logits, 0.0), p, atol=1e-9)
    assert (posterior.amax(1) >= p.amax(1) - 1e-9).all()
    assert (posterior.gather(1, p.argmax(1, keepdim=True)).squeeze(1) >= posterior.amax(1) - 1e-9).all()


def test_posterior_map_survives_certainty():
    certain = torch.tensor([[1e4, -1e4, 0.0], [0.0, -math.inf, -math.inf]])
    assert focal_to_posterior(certain, 2.0).tolist() == [[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]


def test_weights_come_from_the_training_counts():
    logits, labels = torch.zeros(2, 2), torch.tensor([0, 1])
    config = Focal.Config(gamma=0.0, class_weights="inverse")
    loss = Focal(config).forward(logits, labels, torch.tensor([30, 10]))
    assert loss.item() == pytest.approx((40 / 60 + 40 / 20) * math.log(2) / 2)
    plain = CrossEntropy(CrossEntropy.Config(class_weights="inverse")).forward(logits, labels, torch.tensor([30, 10]))
    assert loss.item() == pytest.approx(plain.item())


def test_the_posterior_of_what_is_all_but_certain():
    """At a margin above 30, p (−log p) / (1 − p) is 1: h(p) = 1 / (q^γ (1 + γ)), against h(p') = p' far below."""
    logits = torch.tensor([[35.0, 0.0]], dtype=torch.float64)
    found = focal_to_posterior(logits, 2.0)[0, 1].item()
    q = math.exp(-35.0)
    assert found == pytest.approx(3 * q**3, rel=1e-9, abs=0)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0, torch.tensor([0.0, 1.0, 3.0, 7.0], dtype=torch.float64)], ids=str)
def test_the_written_gradient_is_that_of_the_formula(gamma):
    random = torch.Generator().manual_seed(0)
    logits = (5 * torch.randn(4, 3, generator=random, dtype=torch.float64)).requires_grad_()
    labels, pull = torch.tensor([0, 2, 1, 1]), torch.tensor([1.0, -2.0, 0.5, 3.0], dtype=torch.float64)
    p = logits.softmax(dim=1).gather(1, labels.unsqueeze(1)).squeeze(1)
    plain = -((1 - p) ** gamma) * p.log()
    found = focal(logits, labels, gamma, reduction="none")
    torch.testing.assert_close(found, plain, rtol=1e-9, atol=1e-12)
    (one,), (other,) = (torch.autograd.grad((each * pull).sum(), logits) for each in (found, plain))
    torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)
