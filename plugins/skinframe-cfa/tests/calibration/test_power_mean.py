"""The guarded power mean over bins."""

from __future__ import annotations

import pytest
import torch
from calibration_cases import law
from hypothesis import given
from hypothesis import strategies as st
from skinframe_cfa.calibration.forecasts_and_outcomes import GUARD, power_mean

from skinframe.testing import tensors


@law
@given(shares=tensors((5,), 0.01, 1), gaps=tensors((5,), -1, 1), power=st.floats(1.01, 20))
def test_it_is_the_formula_with_its_guard(shares, gaps, power):
    w = (shares / shares.sum()).tolist()
    g = [gap * share for gap, share in zip(gaps.tolist(), w, strict=True)]
    slow = sum(wj * abs(gj / wj) ** power for gj, wj in zip(g, w, strict=True)) ** (1 / power)
    found = power_mean(torch.tensor(g, dtype=torch.float64), torch.tensor(w, dtype=torch.float64), power).item()
    assert slow - GUARD - 1e-12 <= found <= slow + 1e-12


def test_power_one_is_a_plain_sum():
    gaps, shares = torch.tensor([[0.1, -0.2], [0.0, 0.0]]), torch.tensor([0.3, 0.7])
    assert torch.equal(power_mean(gaps, shares, 1), torch.tensor([0.1, 0.0]) + torch.tensor([0.2, 0.0]))


def test_draws_are_scaled_each_by_its_own_largest_term():
    """A draw of huge gaps beside one of tiny gaps must not take the digits of the tiny one."""
    shares = torch.tensor([0.5, 0.5], dtype=torch.float64)
    gaps = torch.tensor([[0.4, -0.1], [3e-5, 1e-5]], dtype=torch.float64)
    apart = torch.stack([power_mean(each, shares, 80.0) for each in gaps])
    torch.testing.assert_close(power_mean(gaps, shares, 80.0), apart, rtol=1e-12, atol=0)


def test_at_zero_the_value_and_the_gradient_are_zero():
    gaps = torch.zeros(3, requires_grad=True)
    value = power_mean(gaps, torch.tensor([0.5, 0.5, 0.0]), 2.0)
    assert value == 0
    assert torch.autograd.grad(value, gaps)[0].tolist() == [0, 0, 0]


def test_the_guard_is_that_of_the_formula():
    """At gaps as small as ε itself: (ε² + ε²)^½ − ε."""
    found = power_mean(torch.tensor([GUARD], dtype=torch.float64), torch.ones(1, dtype=torch.float64), 2.0)
    assert found.item() == pytest.approx((2**0.5 - 1) * GUARD, rel=1e-9)
    assert GUARD == 1e-6


@pytest.mark.parametrize("power", [1.5, 2.0, 8.0, 100.0])
def test_tiny_bins_stay_finite_in_float32(power):
    shares = torch.tensor([1e-38, 1e-20, 0.0, 1.0], requires_grad=True)
    gaps = torch.tensor([1e-38, -1e-20, 0.0, 0.3], requires_grad=True)
    value = power_mean(gaps, shares, power)
    assert value.item() == pytest.approx(0.3, rel=1e-5)
    for gradient in torch.autograd.grad(value, (gaps, shares)):
        assert torch.isfinite(gradient).all()


def test_a_small_bin_counts_in_full_down_to_the_clamp():
    shares = torch.tensor([1e-11, 1.0], dtype=torch.float64)
    found = power_mean(torch.tensor([1e-11, 0.0], dtype=torch.float64), shares, 2.0)
    assert found.item() == pytest.approx((1e-11 + GUARD**2) ** 0.5 - GUARD, rel=1e-6)
    below = power_mean(
        torch.tensor([1e-13, 0.0], dtype=torch.float64), torch.tensor([1e-13, 1.0], dtype=torch.float64), 2.0
    )
    assert below.item() == pytest.approx((1e-14 + GUARD**2) ** 0.5 - GUARD, rel=1e-6)
