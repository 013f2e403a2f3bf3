"""Divergences: the obvious loops, bounds, symmetry, and what happens at certainty."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skinframe_cfa.branch_consistency import (
    generalised_jensen_shannon,
    jensen_shannon,
    kullback_leibler,
    symmetric_kullback_leibler,
)
from slow_maths import softmax

from skinframe.testing import tensors

law = settings(deadline=None, derandomize=True, max_examples=50)
LOGITS = tensors((3, 4), -30, 30)
ALPHA = st.floats(0.01, 0.99)


def slow_kl(p: list[float], q: list[float]) -> float:
    return sum(a * math.log(a / b) for a, b in zip(p, q, strict=True) if a > 0)


def entropy(p: list[float]) -> float:
    return -sum(a * math.log(a) for a in p if a > 0)


def slow_mixed(p: list[float], q: list[float], alpha: float) -> float:
    m = [alpha * a + (1 - alpha) * b for a, b in zip(p, q, strict=True)]
    return entropy(m) - alpha * entropy(p) - (1 - alpha) * entropy(q)


def logs(one, other):
    return one.log_softmax(1), other.log_softmax(1)


def loop(function, one, other):
    return [function(softmax(a), softmax(b)) for a, b in zip(one.tolist(), other.tolist(), strict=True)]


@law
@given(one=LOGITS, other=LOGITS)
def test_kullback_leibler_is_the_obvious_loop(one, other):
    assert kullback_leibler(*logs(one, other)).tolist() == pytest.approx(loop(slow_kl, one, other), abs=1e-12)
    both = loop(lambda p, q: (slow_kl(p, q) + slow_kl(q, p)) / 2, one, other)
    assert symmetric_kullback_leibler(*logs(one, other)).tolist() == pytest.approx(both, abs=1e-12)


@law
@given(one=LOGITS, other=LOGITS, alpha=ALPHA)
def test_jensen_shannon_is_the_entropy_form(one, other, alpha):
    js = loop(lambda p, q: slow_mixed(p, q, 0.5), one, other)
    assert jensen_shannon(*logs(one, other)).tolist() == pytest.approx(js, abs=1e-12)
    mixed = loop(lambda p, q: slow_mixed(p, q, alpha), one, other)
    assert generalised_jensen_shannon(*logs(one, other), alpha).tolist() == pytest.approx(mixed, abs=1e-12)


@law
@given(one=LOGITS, other=LOGITS, alpha=ALPHA)
def test_bounds_and_symmetry(one, other, alpha):
    p, q = logs(one, other)
    js, mixed = jensen_shannon(p, q), generalised_jensen_shannon(p, q, alpha)
    assert torch.equal(js, jensen_shannon(q, p))
    assert torch.allclose(mixed, generalised_jensen_shannon(q, p, 1 - alpha), atol=1e-12)
    assert torch.allclose(generalised_jensen_shannon(p, q, 0.5), js, atol=1e-12)
    assert (js >= -1e-15).all()
    assert (js <= math.log(2) + 1e-12).all()
    assert (mixed >= -1e-12).all()
    assert (mixed <= entropy([alpha, 1 - alpha]) + 1e-12).all()
    total = (p.exp() - q.exp()).abs().sum(1)
    assert (js >= total.square() / 8 - 1e-12).all()  # Pinsker, for each half against the middle
    assert (kullback_leibler(p, q) >= total.square() / 2 - 1e-12).all()


@law
@given(one=LOGITS, alpha=ALPHA)
def test_equal_sides_agree(one, alpha):
    p = one.log_softmax(1)
    zero = torch.zeros(3, dtype=torch.float64)
    assert torch.equal(jensen_shannon(p, p), zero)
    assert torch.equal(kullback_leibler(p, p), zero)
    assert torch.allclose(generalised_jensen_shannon(p, p, alpha), zero, atol=1e-12)


@law
@given(one=LOGITS, other=LOGITS)
def test_zero_only_at_equality(one, other):
    p, q = logs(one, other)
    apart = (p.exp() - q.exp()).abs().sum(1) > 1e-4
    assert (jensen_shannon(p, q)[apart] > 0).all()


def test_by_hand():
    p = torch.tensor([[0.75, 0.25]], dtype=torch.float64).log()
    q = torch.tensor([[0.5, 0.5]], dtype=torch.float64).log()
    forward, back = 0.75 * math.log(1.5) + 0.25 * math.log(0.5), 0.5 * math.log(2 / 3) + 0.5 * math.log(2)
    assert kullback_leibler(p, q).item() == pytest.approx(forward)
    assert symmetric_kullback_leibler(p, q).item() == pytest.approx((forward + back) / 2)
    assert generalised_jensen_shannon(p, q, 0.2).item() == pytest.approx(
        entropy([0.55, 0.45]) - 0.2 * entropy([0.75, 0.25]) - 0.8 * math.log(2)
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_opposite_certainty_is_log_two_with_a_finite_gradient(dtype):
    one = torch.tensor([[1e4, -1e4]], dtype=dtype, requires_grad=True)
    p, q = one.log_softmax(1), (-one.detach()).log_softmax(1)
    js = jensen_shannon(p, q)
    assert js.item() == pytest.approx(0.693147, abs=1e-6)
    assert generalised_jensen_shannon(p, q, 0.5).item() == pytest.approx(0.693147, abs=1e-6)
    assert kullback_leibler(p, q).item() == pytest.approx(2e4)
    assert torch.autograd.grad(js.sum(), one)[0].isfinite().all()


@pytest.mark.parametrize("function", [kullback_leibler, symmetric_kullback_leibler, jensen_shannon])
def test_gradients(function):
    random = torch.Generator().manual_seed(0)
    one, other = (torch.randn(2, 3, generator=random, dtype=torch.float64).requires_grad_() for _ in range(2))
    assert torch.autograd.gradcheck(lambda a, b: function(*logs(a, b)), [one, other])
    assert torch.autograd.gradcheck(lambda a, b: generalised_jensen_shannon(*logs(a, b), 0.3), [one, other])
