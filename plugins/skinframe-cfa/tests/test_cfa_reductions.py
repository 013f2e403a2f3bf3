"""Every function with a `reduction` keeps the laws of the four reductions."""

from __future__ import annotations

import math
from functools import partial

import pytest
import torch
from skinframe_cfa.calibration.brier import brier
from skinframe_cfa.classification.cross_entropy import cross_entropy
from skinframe_cfa.classification.focal import focal
from skinframe_cfa.loss_reduction import none_masked, reduce, reduce_all

from skinframe.testing import reduction_contract


@reduction_contract(cross_entropy=cross_entropy, focal=partial(focal, gamma=2.0), brier=brier)
def test_reductions(function, check):
    check(function)


VALUES, WEIGHTS = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([0.5, 1.0, 2.0], dtype=torch.float64)
KEPT = torch.tensor([True, True, False])


@pytest.mark.parametrize(
    ("reduction", "plain", "weighted"),
    [("none", [1, 2, 0], [0.5, 2, 0]), ("sum", 3, 2.5), ("mean", 1.5, 1.25), ("weighted_mean", 1.5, 2.5 / 1.5)],
)
def test_the_reductions_by_hand(reduction, plain, weighted):
    for weights, expected in ((None, plain), (WEIGHTS, weighted)):
        found = reduce(VALUES, KEPT, weights, reduction)
        assert torch.allclose(found, torch.tensor(expected).float())
        assert found.dtype == torch.float32
        short = None if weights is None else weights[:2]
        all_kept = reduce_all(VALUES[:2], short, reduction)
        assert torch.allclose(all_kept, torch.tensor(expected[:2] if reduction == "none" else expected).float())
        assert all_kept.dtype == torch.float32


@pytest.mark.parametrize("reduction", ["sum", "mean", "weighted_mean"])
def test_nothing_kept_or_nothing_weighed_gives_0(reduction):
    assert reduce(VALUES, KEPT & False, WEIGHTS, reduction) == 0
    assert reduce(VALUES, KEPT, WEIGHTS * 0, reduction) == 0
    assert reduce_all(VALUES, WEIGHTS * 0, reduction) == 0


@pytest.mark.parametrize(
    ("labels", "free"), [([], False), ([0], True), ([3, 0, 1], True), ([0, -1], False), ([-100], False)]
)
def test_whether_a_label_is_masked(labels, free):
    assert none_masked(torch.tensor(labels, dtype=torch.int64)) is free


def test_one_sample_is_its_own_mean():
    """A denominator clamped above 1 would show here."""
    assert reduce(VALUES, torch.tensor([False, True, False]), None, "mean") == 2
    assert reduce(VALUES, torch.tensor([False, True, False]), WEIGHTS, "weighted_mean") == 2


@pytest.mark.parametrize("reduction", ["none", "sum", "mean", "weighted_mean"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("function", [cross_entropy, partial(focal, gamma=2.0)])
def test_the_short_way_without_a_mask_is_the_long_way(function, weighted, reduction):
    """A masked sample, with NaN scores, sends the same three others the long way."""
    logits = torch.tensor([[2.0, -1.0, 0.5], [0.0, 3.0, 1.0], [-2.0, 0.0, 9.0]], dtype=torch.float64)
    labels, weights = torch.tensor([0, 2, 2]), WEIGHTS if weighted else None
    short = function(logits.requires_grad_(), labels, weights=weights, reduction=reduction)
    (gradient,) = torch.autograd.grad(short.sum(), logits)
    masked = torch.cat([logits.detach(), torch.full((1, 3), torch.nan)]).requires_grad_()
    more = None if weights is None else torch.cat([weights, torch.ones(1)])
    long = function(masked, torch.cat([labels, torch.tensor([-1])]), weights=more, reduction=reduction)
    (other,) = torch.autograd.grad(long.sum(), masked)
    torch.testing.assert_close(long[:3] if reduction == "none" else long, short, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(other, torch.cat([gradient, torch.zeros(1, 3)]), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("reduction", ["none", "sum", "mean", "weighted_mean"])
@pytest.mark.parametrize("masked", [False, True])
def test_weights_by_class_are_the_weights_of_each_sample(masked, reduction):
    logits = torch.tensor([[2.0, -1.0, 0.5], [0.0, 3.0, 1.0], [-2.0, 0.0, 9.0]], dtype=torch.float64).requires_grad_()
    labels = torch.tensor([0, -1 if masked else 2, 1])
    by_class = torch.tensor([0.5, 3.0, 2.0])  # float32 beside float64 scores
    own = by_class.double()[labels.clamp(min=0)]
    rows = torch.where(labels >= 0, own * cross_entropy(logits, labels, reduction="none"), 0.0)
    count, total = (labels >= 0).sum(), own[labels >= 0].sum()
    expected = {"none": rows, "sum": rows.sum(), "mean": rows.sum() / count, "weighted_mean": rows.sum() / total}
    found = cross_entropy(logits, labels, reduction=reduction, class_weights=by_class)
    torch.testing.assert_close(found, expected[reduction])
    one, other = (
        torch.autograd.grad(each.sum(), logits, retain_graph=True)[0] for each in (found, expected[reduction])
    )
    torch.testing.assert_close(one, other)


def test_two_kinds_of_weights_at_once_and_unknown_reductions_are_refused():
    logits, labels, ones = torch.zeros(2, 2), torch.tensor([0, 1]), torch.ones(2)
    with pytest.raises(ValueError, match="weights \\[B\\] or class_weights \\[C\\], not both"):
        cross_entropy(logits, labels, ones, class_weights=ones)
    for function in (cross_entropy, partial(focal, gamma=2.0), brier):
        with pytest.raises(ValueError, match=r"^reduction must be one of none, mean, weighted_mean, sum, got 'avg'$"):
            function(logits, labels, reduction="avg")


def test_cross_entropy_and_brier_by_hand():
    logits = torch.tensor([[math.log(2.0), 0.0], [0.0, math.log(3.0)]], dtype=torch.float64)
    labels = torch.tensor([0, 0])
    rows = torch.tensor([math.log(1.5), math.log(4.0)], dtype=torch.float64)
    scores = torch.tensor([2 / 9, 9 / 8], dtype=torch.float64)
    assert torch.allclose(cross_entropy(logits, labels, reduction="none"), rows)
    assert torch.allclose(brier(logits, labels, "none"), scores)
    assert torch.allclose(brier(logits, labels), scores.mean())
    assert torch.allclose(brier(logits, labels, "sum"), scores.sum())
    assert brier(logits.float(), labels).dtype == torch.float32
