"""γ that follows from the sample: the numbers of the paper, and which sample gets which γ."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skinframe_cfa.classification.adaptive_focal import AdaptiveFocal, gamma_of
from skinframe_cfa.classification.focal import focal

law = settings(deadline=None, derandomize=True, max_examples=60)


def gradient_ratio(p: float, gamma: float) -> float:
    """Return g(p, γ) = (1 − p)^γ − γ p (1 − p)^(γ−1) log p, the focal gradient over that of cross entropy.

    p in (0, 1) is the probability of the label; g(p, 0) = 1. Mukhoti et al. 2020, arXiv:2002.09437, proposition 1.
    """
    log_q = math.log1p(-p)
    return math.exp(gamma * log_q) - gamma * p * math.exp((gamma - 1) * log_q) * math.log(p)


@pytest.mark.parametrize(("p", "gamma"), [(0.2, 4.85), (0.25, 3.07), (0.3, 1.96)])
def test_the_numbers_of_the_specification(p, gamma):
    assert gamma_of(p) == pytest.approx(gamma, abs=0.005)


@law
@given(p=st.floats(1e-6, 0.4999))
def test_at_gamma_star_the_gradient_is_that_of_cross_entropy(p):
    gamma = gamma_of(p)
    assert gamma > 0
    assert gradient_ratio(p, gamma) == pytest.approx(1.0, abs=1e-6)


@law
@given(p=st.floats(1e-4, 0.49), q=st.floats(1e-4, 0.49))
def test_gamma_star_falls(p, q):
    if p + 1e-9 < q:
        assert gamma_of(p) > gamma_of(q)


@law
@given(p=st.floats(0.001, 0.999), gamma=st.floats(0, 8))
def test_the_ratio_is_that_of_the_gradients(p, gamma):
    scores = torch.tensor([[math.log(p), math.log(1 - p)]], dtype=torch.float64, requires_grad=True)
    label = torch.tensor([0])
    (ours,) = torch.autograd.grad(focal(scores, label, gamma), scores)
    (plain,) = torch.autograd.grad(focal(scores, label, 0.0), scores)
    assert gradient_ratio(p, gamma) == pytest.approx((ours[0, 0] / plain[0, 0]).item(), rel=1e-9)
    assert gradient_ratio(p, 0.0) == 1.0


def test_by_hand():
    # (1/2)^2 − 2 · (1/2) · (1/2) · log(1/2)
    assert gradient_ratio(0.5, 2.0) == pytest.approx(0.25 + 0.5 * math.log(2))
    # (3/4)^3 + 3 · (1/4) · (3/4)^2 · log 4
    assert gradient_ratio(0.25, 3.0) == pytest.approx(0.421875 + 0.421875 * math.log(4))


def test_extremely_unlikely_labels_still_have_a_gamma():
    assert math.isfinite(gamma_of(1e-300))
    assert gradient_ratio(1e-12, gamma_of(1e-12)) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("p", [0.0, 0.5, 0.7, -0.1, math.nan])
def test_outside_its_range_there_is_no_gamma(p):
    with pytest.raises(ValueError, match=r"^p must be in \(0, 0\.5\), got"):
        gamma_of(p)


def binary(*p: float) -> torch.Tensor:
    return torch.tensor([[math.log(each), math.log(1 - each)] for each in p], dtype=torch.float64)


def test_each_sample_gets_the_gamma_of_its_threshold():
    p = (0.1, 0.22, 0.4, 0.9)
    gammas = (gamma_of(0.2), gamma_of(0.25), gamma_of(0.25), gamma_of(0.25))
    expected = sum(-((1 - q) ** gamma) * math.log(q) for q, gamma in zip(p, gammas, strict=True)) / 4
    loss = AdaptiveFocal(AdaptiveFocal.Config(class_weights="none"))
    assert loss.forward(binary(*p), torch.zeros(4, dtype=torch.long)).item() == pytest.approx(expected)


def test_just_under_its_threshold_a_sample_has_cross_entropys_gradient():
    loss = AdaptiveFocal(AdaptiveFocal.Config(thresholds=(0.3,), class_weights="none"))
    for p, sign in ((0.29999, 0), (0.1, 1)):
        scores = binary(p).requires_grad_()
        (ours,) = torch.autograd.grad(loss.forward(scores, torch.tensor([0])), scores)
        (plain,) = torch.autograd.grad(focal(scores, torch.tensor([0]), 0.0), scores)
        ratio = (ours[0, 0] / plain[0, 0]).item()
        assert ratio > 1.05 if sign else ratio == pytest.approx(1.0, abs=1e-3)


def test_class_weights_apply_and_are_shown():
    counts = torch.tensor([30, 10])
    config = AdaptiveFocal.Config(class_weights="inverse")
    labels = torch.tensor([1])
    weighted = AdaptiveFocal(config).forward(binary(0.5), labels, counts)
    plain = AdaptiveFocal(AdaptiveFocal.Config(class_weights="none")).forward(binary(0.5), labels, counts)
    assert weighted.item() == pytest.approx(2 * plain.item())
    assert AdaptiveFocal(config).derived([30, 10]) == {"class weight": pytest.approx([2 / 3, 2.0])}
    shown = AdaptiveFocal(AdaptiveFocal.Config(class_weights="effective_number", beta=0.5)).derived([1, 3])
    assert shown == {"class weight": pytest.approx([14 / 11, 8 / 11])}


@pytest.mark.parametrize("thresholds", [(), (0.3, 0.2), (0.2, 0.2), (0.0, 0.2), (0.2, 0.5), (math.nan,)])
def test_thresholds_must_rise_inside_their_range(thresholds):
    with pytest.raises(ValueError, match=r"thresholds must rise between 0 and 0\.5, got"):
        AdaptiveFocal.Config(thresholds=thresholds)


def test_what_it_is_called():
    assert (AdaptiveFocal.name, AdaptiveFocal.coupling) == ("adaptive_focal", "per_sample")
    assert AdaptiveFocal.Config() == AdaptiveFocal.Config(
        thresholds=(0.2, 0.25), class_weights="effective_number", beta=0.9999
    )
    with pytest.raises(ValueError, match="beta"):
        AdaptiveFocal.Config(beta=1.0)


@law
@given(p=st.floats(1e-9, 0.49))
def test_the_branch_of_lambert_is_that_of_scipy(p):
    from scipy.special import lambertw

    log_a, b = math.log1p(-p), p * math.log(p)
    ratio = (1 - p) / b
    x = -math.exp((1 - ratio) * log_a) / b * log_a
    assert gamma_of(p) == pytest.approx(ratio + float(lambertw(x, -1).real) / log_a, rel=1e-6, abs=1e-9)
