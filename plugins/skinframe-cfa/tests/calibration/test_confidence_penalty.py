"""Confidence penalty: against the loop, its range, and the term's duties."""

from __future__ import annotations

import math

import pytest
import torch
from calibration_cases import batch, call, check_declared, check_extremes, law
from hypothesis import given
from skinframe_cfa.calibration.confidence_penalty import ConfidencePenalty, confidence_penalty

from skinframe.testing import loss_contract, tensors

LABELS = torch.zeros(4, dtype=torch.long)


@law
@given(logits=tensors((4, 3), -8, 8))
def test_it_is_the_negative_entropy_in_its_range(logits):
    each = confidence_penalty(logits, LABELS, "none")
    slow = [sum(p * math.log(p) for p in row) for row in logits.softmax(1).tolist()]
    assert each.tolist() == pytest.approx(slow, rel=1e-9, abs=1e-12)
    assert ((each >= -math.log(3) - 1e-12) & (each <= 0)).all()
    assert confidence_penalty(logits, LABELS).item() == pytest.approx(sum(slow) / 4)


def test_uniform_scores_are_the_minimum_and_certain_ones_the_maximum():
    assert confidence_penalty(torch.full((4, 5), 3.0), LABELS).item() == pytest.approx(-math.log(5))
    assert confidence_penalty(torch.tensor([[1e4, -1e4]]), LABELS[:1]) == 0


def test_labels_only_mask():
    logits, labels = batch(4)
    assert torch.equal(confidence_penalty(logits, labels), confidence_penalty(logits, LABELS))
    logits[1] = torch.nan
    keep = torch.tensor([0, 2, 3])
    found = confidence_penalty(logits, torch.tensor([0, -1, 0, 0]))
    assert torch.allclose(found, confidence_penalty(logits[keep], LABELS[keep]))


def test_the_term():
    check_declared(ConfidencePenalty, "confidence_penalty", "per_sample", {})
    logits, labels = batch()
    assert torch.equal(call(ConfidencePenalty(), logits, labels), confidence_penalty(logits, labels))
    check_extremes(ConfidencePenalty())


@loss_contract(ConfidencePenalty(), examples=8)
def test_contract(loss, check):
    check(loss)
