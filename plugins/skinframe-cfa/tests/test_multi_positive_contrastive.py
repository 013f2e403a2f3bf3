"""The contrastive core: the obvious loop, its floor, masked pairs, and chunks equal to the whole."""

from __future__ import annotations

import math

import pytest
import slow_maths
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skinframe_cfa.alignment.multi_positive_contrastive import (
    chunked_multi_positive,
    computed_again,
    multi_positive,
    one_direction,
    positive_floor,
)
from skinframe_cfa.alignment.positive_pairs import same

from skinframe.testing import integers, tensors, unit_vectors

law = settings(deadline=None, derandomize=True, max_examples=50)
B, W = 5, 3
SCORES = tensors((B, B), -100, 100)
IDS, CLASSES = integers((B,), 0, 3), integers((B,), 0, 2)
EYE = torch.eye(B, dtype=torch.bool)


@law
@given(S=SCORES, ids=IDS, classes=CLASSES)
def test_the_value_is_the_obvious_loop(S, ids, classes):
    positives = same(ids)
    ignored = same(classes) & ~positives
    value = multi_positive(S, positives)
    assert value.item() == pytest.approx(slow_maths.multi_positive(S.tolist(), positives.tolist()), rel=1e-9, abs=1e-9)
    masked = multi_positive(S, positives, ignored)
    slow = slow_maths.multi_positive(S.tolist(), positives.tolist(), ignored.tolist())
    assert masked.item() == pytest.approx(slow, rel=1e-9, abs=1e-9)
    assert masked <= value + 1e-9
    assert value >= positive_floor(positives) - 1e-9
    assert masked >= positive_floor(positives) - 1e-9


@law
@given(S=SCORES, other=SCORES, ids=IDS)
def test_texts_may_see_images_by_a_similarity_of_their_own(S, other, ids):
    positives = same(ids)
    value = multi_positive(S, positives, None, other)
    slow = slow_maths.multi_positive(S.tolist(), positives.tolist(), None, other.tolist())
    assert value.item() == pytest.approx(slow, rel=1e-9, abs=1e-9)
    assert torch.allclose(multi_positive(S, positives, None, S.T), multi_positive(S, positives))


@law
@given(S=SCORES, other=SCORES, ids=IDS, classes=CLASSES)
def test_ignored_pairs_leave_both_of_two_similarities(S, other, ids, classes):
    positives = same(ids) | EYE
    ignored = same(classes) & ~positives
    value = multi_positive(S, positives, ignored, other)
    there, back = (one_direction(each, positives, ignored).mean() for each in (S, other))
    torch.testing.assert_close(value, (there + back) / 2)


def test_one_sample_alone_costs_what_its_score_says():
    """A divisor clamped above one sample would halve it."""
    one = torch.tensor([[True]])
    assert positive_floor(torch.ones(1, 1, dtype=torch.bool)) == 0
    lone = one_direction(torch.tensor([[3.0, 1.0]]), torch.tensor([[True, False]]))
    assert lone.item() == pytest.approx(math.log1p(math.exp(-2)))
    assert multi_positive(torch.tensor([[5.0]]), one) == 0


def test_one_direction_by_hand():
    scores = torch.tensor([[math.log(3.0), 0.0], [0.0, math.log(4.0)]], dtype=torch.float64)
    assert one_direction(scores, EYE[:2, :2]).tolist() == pytest.approx([-math.log(0.75), -math.log(0.8)])
    both = torch.ones(2, 2, dtype=torch.bool)
    assert one_direction(scores, both)[0].item() == pytest.approx(-(math.log(0.75) + math.log(0.25)) / 2)
    assert one_direction(scores, EYE[:2, :2], ~EYE[:2, :2]).tolist() == [0.0, 0.0]


def test_a_masked_pair_has_no_gradient():
    scores = torch.zeros(2, 2, dtype=torch.float64, requires_grad=True)
    ignored = torch.tensor([[False, True], [False, False]])
    (slope,) = torch.autograd.grad(one_direction(scores, EYE[:2, :2], ignored).sum(), scores)
    assert slope.tolist() == [[0.0, 0.0], [0.5, -0.5]]


def test_the_floor_by_hand():
    positives = same(torch.tensor([0, 0, 0, 1, 1, 2]))
    assert positive_floor(positives).item() == pytest.approx((3 * math.log(3) + 2 * math.log(2)) / 6)
    assert positive_floor(EYE) == 0
    assert positive_floor(EYE[:0, :0]) == 0


def test_no_sample_gives_zero_with_a_gradient():
    S = torch.zeros(0, 0, requires_grad=True)
    value = multi_positive(S, EYE[:0, :0])
    assert value == 0
    assert torch.autograd.grad(value, S)[0].shape == (0, 0)


@law
@given(
    images=unit_vectors((B, W)),
    texts=unit_vectors((B, W)),
    ids=IDS,
    classes=CLASSES,
    chunk=st.integers(1, 6),
    mask=st.booleans(),
)
def test_chunks_equal_the_whole_in_value_and_gradient(images, texts, ids, classes, chunk, mask):
    positives = same(ids)
    ignored = same(classes) & ~positives if mask else None
    leaves = [images.requires_grad_(), texts.requires_grad_(), torch.tensor(7.0).double().requires_grad_()]
    whole = multi_positive(leaves[2] * images @ texts.T, positives, ignored)
    parts = chunked_multi_positive(*leaves, positives, ignored, chunk)
    assert torch.allclose(parts, whole, rtol=1e-12)
    for one, other in zip(torch.autograd.grad(parts, leaves), torch.autograd.grad(whole, leaves), strict=True):
        assert torch.allclose(one, other, rtol=1e-9, atol=1e-12)


def test_nothing_between_is_kept():
    calls, x = [], torch.tensor(3.0, requires_grad=True)

    def square(value):
        calls.append(1)
        return value * value

    value = computed_again(square, x)
    assert (value.item(), len(calls)) == (9.0, 1)
    assert torch.autograd.grad(value, x)[0] == 6
    assert len(calls) == 2
