"""FLSD-53: which sample gets which γ, and that γ carries no gradient."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skinframe_cfa.classification.adaptive_focal import FLSD, gamma_by_threshold
from skinframe_cfa.classification.focal import focal
from slow_maths import softmax

from skinframe.testing import integers, tensors

law = settings(deadline=None, derandomize=True, max_examples=50)
LOGITS, LABELS = tensors((5, 4), -5, 5), integers((5,), 0, 3)
PLAIN = FLSD(FLSD.Config(class_weights="none"))


@law
@given(logits=LOGITS, labels=LABELS)
def test_the_value_is_the_obvious_loop(logits, labels):
    total = 0.0
    for row, label in zip(logits.tolist(), labels.tolist(), strict=True):
        p = softmax(row)[label]
        if abs(p - 0.2) < 1e-5:
            return  # on the step itself either side is right
        total += -((1 - p) ** (5 if p < 0.2 else 3)) * math.log(p)
    assert PLAIN.forward(logits, labels).item() == pytest.approx(total / 5, rel=1e-9, abs=1e-12)


@law
@given(logits=LOGITS, labels=LABELS, hard=st.floats(0, 6), easy=st.floats(0, 6), threshold=st.floats(0.05, 0.95))
def test_gamma_is_taken_as_given(logits, labels, hard, easy, threshold):
    logits.requires_grad_()
    gamma = gamma_by_threshold(logits, labels, [threshold], [hard, easy])
    assert not gamma.requires_grad
    loss = FLSD(FLSD.Config(hard=hard, easy=easy, threshold=threshold, class_weights="none"))
    (ours,) = torch.autograd.grad(loss.forward(logits, labels), logits)
    (fixed,) = torch.autograd.grad(focal(logits, labels, gamma), logits)
    assert torch.equal(ours, fixed)


def test_every_threshold_opens_a_step():
    p = [0.05, 0.15, 0.3, 0.8]
    logits = torch.tensor([[math.log(x), math.log(1 - x)] for x in p], dtype=torch.float64)
    labels = torch.zeros(4, dtype=torch.long)
    gamma = gamma_by_threshold(logits, labels, [0.1, 0.2, 0.5], [7.0, 5.0, 3.0, 1.0])
    assert gamma.tolist() == [7.0, 5.0, 3.0, 1.0]
    assert gamma.dtype == torch.float64
    assert gamma_by_threshold(logits.bfloat16(), labels, [0.1], [7.0, 5.0]).dtype == torch.float32


@pytest.mark.parametrize("shift", [0.0, 7.0, -3.3, 9999.0])
def test_a_uniform_prediction_of_five_classes_is_never_hard(shift):
    logits = torch.full((1, 5), shift)
    assert gamma_by_threshold(logits, torch.tensor([2]), [0.2], [5.0, 3.0]).item() == 3.0


def test_a_little_under_the_threshold_is_hard():
    logits = torch.tensor([[math.log(0.1999), math.log(0.8001)]], dtype=torch.float64)
    assert gamma_by_threshold(logits, torch.tensor([0]), [0.2], [5.0, 3.0]).item() == 5.0


def test_a_masked_sample_may_even_be_nan():
    logits = torch.tensor([[0.3, -0.2], [math.nan, math.inf]])
    assert torch.equal(PLAIN.forward(logits, torch.tensor([0, -100])), PLAIN.forward(logits[:1], torch.tensor([0])))


def test_class_weights_apply_and_are_shown():
    logits, counts = torch.zeros(1, 2, dtype=torch.float64), torch.tensor([30, 10])
    config = FLSD.Config(class_weights="inverse")
    weighted = FLSD(config).forward(logits, torch.tensor([1]), counts)
    assert weighted.item() == pytest.approx(2 * 0.5**3 * math.log(2))
    assert FLSD(config).derived([30, 10]) == {"class weight": pytest.approx([2 / 3, 2.0])}
    shown = FLSD(FLSD.Config(class_weights="effective_number", beta=0.5)).derived([1, 3])
    assert shown == {"class weight": pytest.approx([14 / 11, 8 / 11])}
    assert PLAIN.derived([30, 0]) == {}


WRONG = [
    ({"hard": -0.1}, r"^hard must be a finite number >= 0, got -0.1"),
    ({"hard": math.inf}, "^hard must be"),
    ({"easy": math.nan}, "^easy must be"),
    ({"easy": -1.0}, "^easy must be"),
    ({"threshold": 0.0}, r"^threshold must be in \(0, 1\), got 0.0"),
    ({"threshold": 1.0}, "^threshold must be"),
    ({"beta": 1.0}, "^beta must be"),
]


@pytest.mark.parametrize(("options", "message"), WRONG)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        FLSD.Config(**options)


def test_what_it_is_called():
    assert (FLSD.name, FLSD.coupling) == ("flsd", "per_sample")
    expected = FLSD.Config(hard=5.0, easy=3.0, threshold=0.2, class_weights="effective_number", beta=0.9999)
    assert FLSD.Config() == expected
    FLSD.Config(hard=0.0, easy=0.0, threshold=0.999)
