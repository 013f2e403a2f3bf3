"""torchmetrics' ECE is ours below confidence 1; at 1, and for binary scores, are its traps."""

from __future__ import annotations

import pytest
import torch
from oracle_cases import confidences, library
from skinframe_cfa.calibration.soft_ece import soft_ece

functional = library("torchmetrics.functional.classification")
C, A, LOGITS, LABELS = confidences()


def test_multiclass_ece_is_the_cold_limit_of_soft_ece():
    theirs = functional.multiclass_calibration_error(LOGITS.softmax(1), LABELS, num_classes=3, n_bins=15, norm="l1")
    assert soft_ece(C, A, 15, 1e-9).item() == pytest.approx(theirs.item(), abs=1e-8)
    root = functional.multiclass_calibration_error(LOGITS.softmax(1), LABELS, num_classes=3, n_bins=15, norm="l2")
    assert soft_ece(C, A, 15, 1e-9, 2.0).item() == pytest.approx(root.item(), abs=2e-6)


def test_trap_confidence_one_goes_to_a_bin_of_its_own():
    """Of .95, right, and 1, wrong: one bin of ten holds both, |½ − .975|; theirs gives .525."""
    p = torch.tensor([[0.95, 0.05], [1.0, 0.0]], dtype=torch.float64)
    theirs = functional.multiclass_calibration_error(p, torch.tensor([0, 1]), num_classes=2, n_bins=10, norm="l1")
    c, a = torch.tensor([0.95, 1.0], dtype=torch.float64), torch.tensor([1.0, 0.0], dtype=torch.float64)
    assert theirs.item() == pytest.approx(0.525)
    assert soft_ece(c, a, 10, 1e-9).item() == pytest.approx(0.475)


def test_trap_the_binary_form_bins_the_probability_of_class_1():
    """Two negatives at p = .1 and one positive at .6: as top labels, .9 right twice and .6 right once."""
    p, y = torch.tensor([0.1, 0.1, 0.6], dtype=torch.float64), torch.tensor([0, 0, 1])
    theirs = functional.binary_calibration_error(p, y, n_bins=1, norm="l1")
    c, a = torch.tensor([0.9, 0.9, 0.6], dtype=torch.float64), torch.ones(3, dtype=torch.float64)
    assert theirs.item() == pytest.approx(abs(1 / 3 - 0.8 / 3))
    assert soft_ece(c, a, 1, 0.1).item() == pytest.approx(1 - 2.4 / 3)
