"""Smooth ECE at fixed width: against a sum in plain Python, exact zeros, bounds, limits, and the term's duties."""

from __future__ import annotations

import math

import pytest
import torch
from calibration_cases import (
    CONFIDENCE,
    CORRECT,
    TIED,
    batch,
    call,
    check_declared,
    check_extremes,
    check_memory,
    check_queue_is_dense,
    law,
)
from hypothesis import given
from hypothesis import strategies as st
from skinframe_cfa.calibration.confidence_accuracy_difference import dca
from skinframe_cfa.calibration.forecasts_and_outcomes import top_label
from skinframe_cfa.calibration.smooth_ece import SmoothECELoss, reflected_gaussian, smooth_ece

from skinframe.testing import loss_contract

SIGMA = st.floats(0.02, 1.0)


def build(queue):
    return SmoothECELoss(SmoothECELoss.Config(queue=queue))


def reflected(t, c, sigma):
    """Density at t of a Gaussian at c whose mass beyond 0 and 1 is folded back."""
    centres = [s * c + 2 * m for m in range(-6, 7) for s in (1, -1)]
    scale = sigma * math.sqrt(2 * math.pi)
    return sum(math.exp(-((t - centre) ** 2) / (2 * sigma**2)) for centre in centres) / scale


def slow_smooth_ece(c, a, sigma, points):
    total = 0.0
    for step in range(points):
        t = (step + 0.5) / points
        total += abs(sum((ai - ci) * reflected(t, ci, sigma) for ci, ai in zip(c, a, strict=True)))
    return total / points / len(c)


@law
@given(c=CONFIDENCE, a=CORRECT, sigma=SIGMA)
def test_it_is_the_obvious_sum_over_the_density(c, a, sigma):
    """Rows of the share matrix are normalised, and the density's midpoint sum is 1 to many digits already."""
    slow = slow_smooth_ece(c.tolist(), a.tolist(), sigma, 100)
    assert smooth_ece(c, a, sigma, 100).item() == pytest.approx(slow, rel=1e-7, abs=1e-10)


def test_more_points_change_little():
    c, a = top_label(*batch())
    coarse, fine = smooth_ece(c, a, 0.05, 100).item(), smooth_ece(c, a, 0.05, 2000).item()
    assert coarse == pytest.approx(fine, rel=1e-3)
    assert smooth_ece(c, a).item() == smooth_ece(c, a, 0.05, 100).item()


@law
@given(tied=TIED, sigma=SIGMA)
def test_exactly_calibrated_groups_score_zero(tied, sigma):
    assert smooth_ece(*tied, sigma) <= 1e-12


@law
@given(c=CONFIDENCE, a=CORRECT, sigma=SIGMA, more=st.floats(1.0, 3.0))
def test_it_lies_between_its_bounds_and_falls_with_sigma(c, a, sigma, more):
    value = smooth_ece(c, a, sigma)
    assert dca(c, a) - 1e-12 <= value <= (a - c).abs().mean() + 1e-12
    assert smooth_ece(c, a, min(1.0, sigma * more)) <= value + 1e-9


def test_a_wide_gaussian_leaves_the_gap_of_the_means():
    c, a = top_label(*batch())
    assert smooth_ece(c, a, 1.0).item() == pytest.approx(dca(c, a).item(), rel=0.05)


def test_shares_add_up_and_are_mirrored():
    u = reflected_gaussian(torch.tensor([0.0, 0.3, 0.7, 1.0], dtype=torch.float64), 0.1, 50)
    assert u.shape == (4, 50)
    assert u.sum(dim=1).tolist() == pytest.approx([1] * 4)
    assert torch.allclose(u[1], u[2].flip(0))
    assert u[0].argmax() == 0
    # at the wall the folded half doubles the density: 2 φ(0.005 / 0.1 …) / 50
    assert u[3, -1].item() == pytest.approx(reflected(0.99, 1.0, 0.1) / 50, rel=1e-9)


@pytest.mark.parametrize("sigma", [0.05, 0.3, 0.5, 1.0])
def test_enough_images_are_summed(sigma):
    u = reflected_gaussian(torch.tensor([0.95], dtype=torch.float64), sigma, 40)
    slow = [reflected((j + 0.5) / 40, 0.95, sigma) / 40 for j in range(40)]
    assert u[0].tolist() == pytest.approx(slow, rel=1e-7)


def test_draws_come_in_front():
    c, a = torch.tensor([0.5, 0.9], dtype=torch.float64), torch.tensor([[1.0, 1.0], [0.5, 0.9]], dtype=torch.float64)
    assert smooth_ece(c, a).tolist() == pytest.approx([0.3, 0.0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sigma": 0.0}, r"^sigma must be in \(0, 1\], got 0.0$"),
        ({"sigma": 1.1}, r"^sigma must be in \(0, 1\], got 1.1$"),
        ({"sigma": 0.01, "points": 99}, r"^points must be >= 1 / sigma, got 99 at sigma 0.01$"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        SmoothECELoss.Config(**options)


def test_the_term():
    check_declared(SmoothECELoss, "smooth_ece", "batch", {"sigma": 0.05, "points": 100, "queue": 512})
    SmoothECELoss.Config(sigma=1.0, points=1)
    logits, labels = batch()
    term = SmoothECELoss(SmoothECELoss.Config(sigma=0.2, points=17))
    assert torch.equal(call(term, logits, labels), smooth_ece(*top_label(logits, labels), 0.2, 17))
    check_queue_is_dense(build)
    check_memory(build)
    check_extremes(SmoothECELoss())


@loss_contract(SmoothECELoss(), examples=8)
def test_contract(loss, check):
    check(loss)
