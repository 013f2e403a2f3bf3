"""The one-operation form: by hand, against both directions written out, in blocks, and at the edges."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skinframe_cfa.alignment import contrastive_kernel
from skinframe_cfa.alignment.contrastive_kernel import BothDirections
from skinframe_cfa.alignment.multi_positive_contrastive import multi_positive, one_direction

from skinframe.testing import integers, tensors

law = settings(deadline=None, derandomize=True, max_examples=40)
B = 5


def pairs(labels, ids):
    """Return positives (same id) and what is ignored (same label, another id)."""
    same = ids[None] == ids[:, None]
    return same, (labels[None] == labels[:, None]) & ~same


@pytest.fixture(params=[1, 2 * B, 3 * B, B * B - 1, B * B, 10**6], ids=lambda block: f"block={block}")
def block(request, monkeypatch):
    """Rows that are looked at together: one, two, three, four, all."""
    monkeypatch.setattr(contrastive_kernel, "BLOCK", request.param)


SCORES, IDS = tensors((B, B), -30, 30), integers((B,), 0, 3)


@pytest.mark.usefixtures("block")
def test_value_and_gradient_are_those_of_both_directions_written_out():
    @law
    @given(scores=SCORES, labels=integers((B,), 0, 1), ids=IDS, mask=st.booleans())
    def holds(scores, labels, ids, mask):
        positives, ignored = pairs(labels, ids)
        out = ignored if mask else None
        one, other = scores.clone().requires_grad_(), scores.clone().requires_grad_()
        found = BothDirections.apply(one, positives, out)
        slow = one_direction(other, positives, out).sum() + one_direction(other.T, positives, out).sum()
        torch.testing.assert_close(found, slow, rtol=1e-12, atol=1e-12)
        (gradient,), (expected,) = torch.autograd.grad(3 * found, one), torch.autograd.grad(3 * slow, other)
        torch.testing.assert_close(gradient, expected, rtol=1e-10, atol=1e-12)

    holds()


def test_two_pairs_by_hand():
    """Scores of log 3 on the diagonal and 0 beside it: each of the four rows and columns costs log(4/3)."""
    scores = (math.log(3) * torch.eye(2, dtype=torch.float64)).requires_grad_()
    value = BothDirections.apply(scores, torch.eye(2, dtype=torch.bool), None)
    assert value.item() == pytest.approx(4 * math.log(4 / 3))
    (gradient,) = torch.autograd.grad(value, scores)
    assert gradient.flatten().tolist() == pytest.approx([-0.5, 0.5, 0.5, -0.5])


def test_a_pair_that_is_ignored_is_as_good_as_absent():
    scores = torch.tensor([[1.0, 2.0, 50.0], [0.0, 1.0, 2.0], [1e4, 3.0, 1.0]], dtype=torch.float64, requires_grad=True)
    ignored = torch.tensor([[0, 0, 1], [0, 0, 0], [1, 0, 0]], dtype=torch.bool)
    value = BothDirections.apply(scores, torch.eye(3, dtype=torch.bool), ignored)
    two, three = math.log(1 + math.e), math.log(1 + math.e + math.exp(-1))
    rows = math.log(1 + math.e), three, math.log(1 + math.exp(2))
    columns = math.log(1 + math.exp(-1)), math.log(1 + math.e + math.exp(2)), two
    assert value.item() == pytest.approx(sum(rows) + sum(columns))
    (gradient,) = torch.autograd.grad(value, scores)
    assert gradient[ignored].tolist() == [0, 0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_saturated_scores_and_nobody_at_all_are_finite(dtype):
    far = torch.tensor([[1e4, -1e4], [1e4, -1e4]], dtype=dtype, requires_grad=True)
    value = BothDirections.apply(far, torch.eye(2, dtype=torch.bool), None)
    assert value.item() == pytest.approx(2e4 + 2 * math.log(2), rel=1e-6)
    assert value.dtype == dtype
    assert torch.autograd.grad(value, far)[0].isfinite().all()
    nobody = torch.zeros(0, 0, dtype=dtype, requires_grad=True)
    value = multi_positive(nobody, torch.zeros(0, 0, dtype=torch.bool))
    assert value == 0
    assert torch.autograd.grad(value, nobody)[0].shape == (0, 0)


def test_the_gradient_is_that_of_the_value_and_can_be_asked_for_twice():
    scores = torch.randn(3, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64).requires_grad_()
    positives = torch.tensor([[1, 1, 0], [1, 1, 0], [0, 0, 1]], dtype=torch.bool)
    assert torch.autograd.gradcheck(lambda each: BothDirections.apply(each, positives, None), scores)
    value = BothDirections.apply(scores, positives, None)
    first, second = (torch.autograd.grad(value, scores, retain_graph=True)[0] for _ in range(2))
    assert torch.equal(first, second)
