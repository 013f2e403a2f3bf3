"""Forecasts and outcomes of scores, with ties."""

from __future__ import annotations

import math

import pytest
import torch
from skinframe_cfa.calibration.forecasts_and_outcomes import class_wise, top_label


def test_confidence_and_correctness_by_hand():
    confidence, correct = top_label(
        torch.tensor([[3.0, 1.0], [1.0, 3.0]], dtype=torch.float64).log(), torch.zeros(2).long()
    )
    assert confidence.tolist() == pytest.approx([0.75, 0.75])
    assert correct.tolist() == [1, 0]
    assert correct.dtype == confidence.dtype


def test_ties_for_the_top_share_the_correctness():
    confidence, correct = top_label(
        torch.tensor([[1.0, 1.0, 0.0], [2.0, 0.0, 0.0], [0.0, 0.0, 0.0]]), torch.tensor([1, 1, 2])
    )
    assert correct.tolist() == pytest.approx([0.5, 0.0, 1 / 3])
    assert confidence[0].item() == pytest.approx(math.e / (2 * math.e + 1))


def test_class_wise_is_the_softmax_and_the_labels():
    logits, labels = torch.tensor([[3.0, 1.0], [1.0, 1.0]]).log(), torch.tensor([1, 0])
    probabilities, outcomes = class_wise(logits, labels)
    assert probabilities.flatten().tolist() == pytest.approx([0.75, 0.25, 0.5, 0.5])
    assert outcomes is labels
