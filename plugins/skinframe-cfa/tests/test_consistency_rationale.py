"""Consistency and rationale: bounds, limits, stop-gradients, empty text."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from skinframe_cfa.consistency.jensen_shannon import Consistency, jensen_shannon
from skinframe_cfa.language.rationale import Rationale
from torch.nn import functional as F

from skinframe.testing import tensors

law = settings(deadline=None, derandomize=True, max_examples=40)
LOGITS = tensors((3, 4), -30, 30)


@law
@given(one=LOGITS, other=LOGITS)
def test_jensen_shannon_is_bounded_symmetric_and_zero_only_at_equality(one, other):
    value = jensen_shannon(one, other)
    assert torch.equal(value, jensen_shannon(other, one))
    assert (value >= -1e-15).all()
    assert (value <= math.log(2) + 1e-12).all()
    assert torch.equal(jensen_shannon(one, one), torch.zeros(3, dtype=torch.float64))
    distance = (one.softmax(1) - other.softmax(1)).abs().sum(1)
    assert (value >= distance.square() / 8 - 1e-12).all()  # Pinsker, for each half against the middle


@law
@given(one=LOGITS, other=LOGITS)
def test_jensen_shannon_is_the_entropy_form(one, other):
    p, q = one.softmax(1), other.softmax(1)

    def entropy(x):
        return torch.special.entr(x).sum(1)

    assert torch.allclose(jensen_shannon(one, other), entropy((p + q) / 2) - (entropy(p) + entropy(q)) / 2, atol=1e-12)


def test_opposite_certainty_is_log_two_with_a_finite_gradient():
    one = torch.tensor([[1e4, -1e4]], requires_grad=True)
    value = jensen_shannon(one, -one.detach())
    assert value.item() == pytest.approx(math.log(2))
    assert torch.autograd.grad(value.sum(), one)[0].isfinite().all()


@pytest.mark.parametrize(("side", "text_learns", "image_learns"), [("none", 1, 1), ("image", 1, 0), ("text", 0, 1)])
def test_stop_gradient(side, text_learns, image_learns):
    text = torch.tensor([[1.0, 0.0]], requires_grad=True)
    image = torch.tensor([[0.0, 1.0]], requires_grad=True)
    Consistency(Consistency.Config(stop_gradient=side)).forward(text, image).backward()
    for tensor, learns in ((text, text_learns), (image, image_learns)):
        assert (tensor.grad is not None and tensor.grad.norm().item() > 0) == bool(learns)


def test_rationale_is_the_mean_over_tokens():
    logits = torch.randn(6, 9, generator=torch.Generator().manual_seed(0))
    targets = torch.tensor([1, 0, -100, 8, 3, -100])
    assert torch.allclose(Rationale().forward(logits, targets), F.cross_entropy(logits, targets))


def test_no_rationale_gives_zero_with_a_zero_gradient():
    states = torch.randn(4, 3, requires_grad=True)
    head = torch.randn(5, 3, requires_grad=True)
    logits = states[:0] @ head.T
    value = Rationale().forward(logits, torch.zeros(0, dtype=torch.long))
    assert value == 0
    value.backward()
    assert not states.grad.any()
    assert not head.grad.any()
