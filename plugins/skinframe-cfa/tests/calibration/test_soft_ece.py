"""Soft-binned ECE: against the loop, exact zeros, bounds, the hard limit, the power form, and the term's duties."""

from __future__ import annotations

import math

import numpy as np
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
from skinframe_cfa.calibration.soft_ece import SoftECE, membership, soft_ece

from skinframe.testing import loss_contract

BINS, TEMPERATURE, POWER = st.integers(1, 20), st.floats(1e-3, 1.0), st.sampled_from([1.0, 1.5, 2.0, 4.0])


def build(queue):
    return SoftECE(SoftECE.Config(queue=queue))


def slow_soft_ece(c, a, bins, temperature, power):
    sums, masses = [0.0] * bins, [0.0] * bins
    for ci, ai in zip(c, a, strict=True):
        scores = [-((ci - (j + 0.5) / bins) ** 2) / temperature for j in range(bins)]
        weights = [math.exp(score - max(scores)) for score in scores]
        for j in range(bins):
            sums[j] += weights[j] / sum(weights) * (ai - ci)
            masses[j] += weights[j] / sum(weights)
    total = sum(m / len(c) * abs(s / m) ** power for s, m in zip(sums, masses, strict=True) if m > 0)
    return total ** (1 / power)


def hard_ece(c, a, bins):
    """Equal-width ECE, the obvious way."""
    total = 0.0
    for j in range(bins):
        inside = [i for i in range(len(c)) if min(int(c[i] * bins), bins - 1) == j]
        if inside:
            total += abs(sum(a[i] - c[i] for i in inside))
    return total / len(c)


@law
@given(c=CONFIDENCE, a=CORRECT, bins=BINS, temperature=TEMPERATURE, power=POWER)
def test_it_is_the_obvious_loop(c, a, bins, temperature, power):
    slow = slow_soft_ece(c.tolist(), a.tolist(), bins, temperature, power)
    assert soft_ece(c, a, bins, temperature, power).item() == pytest.approx(
        slow, rel=1e-9, abs=2e-6 if power > 1 else 1e-12
    )


@law
@given(tied=TIED, bins=BINS, temperature=st.floats(1e-4, 10), power=POWER)
def test_exactly_calibrated_groups_score_zero(tied, bins, temperature, power):
    assert abs(soft_ece(*tied, bins, temperature, power)) <= 1e-12


@law
@given(c=CONFIDENCE, a=CORRECT, bins=BINS, temperature=TEMPERATURE)
def test_it_lies_between_its_bounds(c, a, bins, temperature):
    value = soft_ece(c, a, bins, temperature)
    assert dca(c, a) - 1e-12 <= value <= (a - c).abs().mean() + 1e-12
    assert value <= soft_ece(c, a, bins, temperature, 2.0) + 1.1e-6
    assert soft_ece(c, a, bins, temperature, 8.0) <= 1
    assert torch.allclose(soft_ece(c, a, 1, temperature), dca(c, a))


def test_cold_soft_bins_are_hard_bins():
    rng = np.random.default_rng(3)
    c, a = rng.beta(6, 1.2, 400), (rng.random(400) < 0.6).astype(float)
    expected = hard_ece(c.tolist(), a.tolist(), 15)
    warm = [soft_ece(torch.tensor(c), torch.tensor(a), 15, t).item() for t in (1e-1, 1e-3, 1e-8)]
    assert warm[-1] == pytest.approx(expected, abs=1e-6)
    assert abs(warm[0] - expected) > abs(warm[1] - expected)


def test_by_hand_and_draws_come_in_front():
    c, a = torch.tensor([0.5, 0.9], dtype=torch.float64), torch.tensor([1.0, 0.0], dtype=torch.float64)
    # centres 1/4 and 3/4, T = 1/16: c = 0.5 belongs to both equally, c = 0.9 by (0.65² − 0.15²) · 16 = 6.4
    low = 1 / (1 + math.exp(6.4))
    expected = (abs(0.25 - 0.9 * low) + abs(0.25 - 0.9 * (1 - low))) / 2
    assert soft_ece(c, a, 2, 1 / 16).item() == pytest.approx(expected)
    both = soft_ece(c, torch.stack([a, c]), 2, 1 / 16, 2.0)
    assert both[0] == soft_ece(c, a, 2, 1 / 16, 2.0)
    assert both[1] == 0


def test_the_defaults_are_fifteen_bins_at_a_hundredth():
    logits, labels = batch()
    c, a = top_label(logits, labels)
    assert soft_ece(c, a) == soft_ece(c, a, 15, 0.01, 1.0)
    mixed = torch.linspace(0, 1, 40, dtype=torch.float64), (torch.arange(40) % 3 == 0).double()
    assert soft_ece(*mixed) == soft_ece(*mixed, 15, 0.01, 1.0)
    assert soft_ece(*mixed) != soft_ece(*mixed, 16, 0.01, 1.0)


def test_a_soft_bin_needs_a_temperature_above_zero():
    c = torch.tensor([0.4])
    with pytest.raises(ValueError, match=r"^temperature must be > 0, got -0.1$"):
        membership(c, 3, -0.1)
    with pytest.raises(ValueError, match="temperature"):
        soft_ece(c, c, 3, 0.0)
    assert membership(c, 3, 1e-6).tolist() == [[0, 1, 0]]


@pytest.mark.parametrize("power", [1.0, 1.5, 2.0, 8.0])
def test_no_gradient_is_nan_where_the_residual_is_zero(power):
    c = torch.tensor([0.5, 0.5], requires_grad=True)
    (gradient,) = torch.autograd.grad(soft_ece(c, torch.tensor([0.0, 1.0]), power=power), c)
    assert torch.isfinite(gradient).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bins": 0}, "^bins must be >= 1, got 0$"),
        ({"temperature": 0.0}, "^temperature must be a finite number > 0, got 0.0$"),
        ({"temperature": math.inf}, "^temperature must be a finite number > 0, got inf$"),
        ({"power": 0.9}, "^power must be a finite number >= 1, got 0.9$"),
        ({"power": math.inf}, "^power must be a finite number >= 1, got inf$"),
        ({"queue": -1}, "^queue must be >= 0, got -1$"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        SoftECE.Config(**options)


def test_the_term():
    check_declared(SoftECE, "soft_ece", "batch", {"bins": 15, "temperature": 0.01, "power": 1.0, "queue": 512})
    logits, labels = batch()
    term = SoftECE(SoftECE.Config(bins=1, temperature=0.1, power=2.0, queue=0))
    assert torch.equal(call(term, logits, labels), soft_ece(*top_label(logits, labels), 1, 0.1, 2.0))
    term = SoftECE(SoftECE.Config(bins=4, temperature=0.1, power=3.0, queue=0))
    assert torch.equal(call(term, logits, labels), soft_ece(*top_label(logits, labels), 4, 0.1, 3.0))
    check_queue_is_dense(build)
    check_queue_is_dense(lambda queue: SoftECE(SoftECE.Config(power=2.0, queue=queue)))
    check_memory(build)
    check_extremes(SoftECE())
    check_extremes(SoftECE(SoftECE.Config(temperature=1e-4, power=1.5)))


@loss_contract(
    SoftECE(),
    SoftECE(SoftECE.Config(bins=3, temperature=0.1, queue=0)),
    SoftECE(SoftECE.Config(power=2.0)),
    examples=8,
)
def test_contract(loss, check):
    check(loss)
