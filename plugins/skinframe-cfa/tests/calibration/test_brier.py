"""Brier score: against the loop, its range, no exact zero for tied groups, strictly proper, and the term's duties."""

from __future__ import annotations

import pytest
import torch
from calibration_cases import batch, call, check_declared, check_extremes, law, tie_groups
from hypothesis import given
from skinframe_cfa.calibration.brier import BrierLoss, brier

from skinframe.testing import integers, loss_contract, tensors


@law
@given(logits=tensors((4, 3), -20, 20), labels=integers((4,), 0, 2))
def test_it_is_the_obvious_loop_in_its_range(logits, labels):
    each = brier(logits, labels, "none")
    p = logits.softmax(1).tolist()
    slow = [sum((p[i][k] - float(labels[i] == k)) ** 2 for k in range(3)) for i in range(4)]
    assert each.tolist() == pytest.approx(slow, abs=1e-12)
    assert (each <= 2 + 1e-12).all()
    assert brier(logits, labels).item() == pytest.approx(sum(slow) / 4, abs=1e-12)


@law
@given(group=tie_groups())
def test_exact_calibration_is_not_zero(group):
    assert brier(*group) > 0.05


def test_by_hand():
    logits = torch.tensor([[3.0, 1.0]], dtype=torch.float64).log()
    assert brier(logits, torch.tensor([0])).item() == pytest.approx(2 * 0.25**2)
    assert brier(logits, torch.tensor([1])).item() == pytest.approx(2 * 0.75**2)


def test_the_posterior_is_its_minimiser():
    """The expected score of p under η is |p − η|² more than that of η."""
    eta = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    p = torch.tensor([0.6, 0.1, 0.3], dtype=torch.float64)

    def expected(forecast):
        return sum(eta[k] * brier(forecast.log().unsqueeze(0), torch.tensor([k])) for k in range(3))

    assert (expected(p) - expected(eta)).item() == pytest.approx((p - eta).square().sum().item())


def test_masked_samples_are_left_out():
    logits, labels = batch(3)
    logits[1] = torch.nan
    some = torch.tensor([labels[0], -100, labels[2]])
    keep = torch.tensor([0, 2])
    assert torch.allclose(brier(logits, some), brier(logits[keep], labels[keep]))
    assert brier(logits, some, "none")[1] == 0


def test_the_term():
    check_declared(BrierLoss, "brier", "per_sample", {})
    logits, labels = batch()
    assert torch.equal(call(BrierLoss(), logits, labels), brier(logits, labels))
    check_extremes(BrierLoss())


@loss_contract(BrierLoss(), examples=8)
def test_contract(loss, check):
    check(loss)
