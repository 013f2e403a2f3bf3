"""Label smoothing: the obvious loop, its limits and its floor."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skinframe_cfa.classification.cross_entropy import cross_entropy
from skinframe_cfa.classification.label_smoothing import LabelSmoothing, label_smoothing
from slow_maths import dot, log_softmax
from torch.nn import functional as F

from skinframe.testing import integers, tensors

law = settings(deadline=None, derandomize=True, max_examples=50)
LOGITS, LABELS = tensors((5, 4), -20, 20), integers((5,), 0, 3)
SMOOTHING = st.floats(0, 0.99)


@law
@given(logits=LOGITS, labels=LABELS, smoothing=SMOOTHING)
def test_the_value_is_the_obvious_loop(logits, labels, smoothing):
    expected = []
    for row, label in zip(logits.tolist(), labels.tolist(), strict=True):
        target = [smoothing / 4 + (1 - smoothing) * (k == label) for k in range(4)]
        expected.append(-dot(target, log_softmax(row)))
    assert label_smoothing(logits, labels, smoothing, reduction="none").tolist() == pytest.approx(expected)
    torchs = F.cross_entropy(logits, labels, label_smoothing=smoothing)
    assert label_smoothing(logits, labels, smoothing).item() == pytest.approx(torchs.item())


@law
@given(logits=LOGITS, labels=LABELS, smoothing=SMOOTHING)
def test_never_below_the_entropy_of_the_target(logits, labels, smoothing):
    rest = smoothing / 4
    own = 1 - smoothing + rest
    entropy = -own * math.log(own) - (3 * rest * math.log(rest) if rest > 0 else 0.0)
    assert (label_smoothing(logits, labels, smoothing, reduction="none") >= entropy - 1e-12).all()
    if rest > 0:
        best = torch.full((1, 4), rest, dtype=torch.float64)
        best[0, 0] = own
        assert label_smoothing(best.log(), torch.tensor([0]), smoothing).item() == pytest.approx(entropy)


@law
@given(logits=LOGITS, labels=integers((5,), -1, 3))
def test_without_smoothing_it_is_cross_entropy(logits, labels):
    weights = torch.tensor([0.3, 1.0, 2.0, 0.7], dtype=torch.float64)[labels.clamp(min=0)]
    ours = label_smoothing(logits, labels, 0.0, weights, "none")
    assert torch.allclose(ours, cross_entropy(logits, labels, weights, "none"))


def test_by_hand():
    logits = torch.tensor([[math.log(3.0), 0.0]], dtype=torch.float64)  # p = 3/4, 1/4
    expected = -0.9 * math.log(0.75) - 0.1 * math.log(0.25)
    loss = LabelSmoothing(LabelSmoothing.Config(smoothing=0.2))
    assert loss.forward(logits, torch.tensor([0])).item() == pytest.approx(expected)


def test_a_masked_sample_may_even_be_nan():
    logits = torch.tensor([[0.3, -0.2], [math.nan, math.inf]], requires_grad=True)
    value = label_smoothing(logits, torch.tensor([0, -100]), 0.1)
    assert torch.equal(value, label_smoothing(logits[:1], torch.tensor([0]), 0.1))
    assert not torch.autograd.grad(value, logits)[0][1].any()


def test_class_weights_apply_and_are_shown():
    logits, counts = torch.zeros(1, 2, dtype=torch.float64), torch.tensor([30, 10])
    config = LabelSmoothing.Config(class_weights="inverse")
    assert LabelSmoothing(config).forward(logits, torch.tensor([1]), counts).item() == pytest.approx(2 * math.log(2))
    assert LabelSmoothing(config).derived([30, 10]) == {"class weight": pytest.approx([2 / 3, 2.0])}
    shown = LabelSmoothing(LabelSmoothing.Config(class_weights="effective_number", beta=0.5)).derived([1, 3])
    assert shown == {"class weight": pytest.approx([14 / 11, 8 / 11])}
    assert LabelSmoothing().derived([30, 0]) == {}


@pytest.mark.parametrize("smoothing", [-0.1, 1.0, math.nan])
def test_a_share_out_of_range_is_refused(smoothing):
    with pytest.raises(ValueError, match=r"^smoothing must be in \[0, 1\), got"):
        LabelSmoothing.Config(smoothing=smoothing)


def test_what_it_is_called():
    assert (LabelSmoothing.name, LabelSmoothing.coupling) == ("label_smoothing", "per_sample")
    assert LabelSmoothing.Config() == LabelSmoothing.Config(smoothing=0.1, class_weights="none", beta=0.9999)
    assert LabelSmoothing.Config(smoothing=0.0).smoothing == 0
    with pytest.raises(ValueError, match="class_weights must be one of"):
        LabelSmoothing.Config(class_weights="balanced")
