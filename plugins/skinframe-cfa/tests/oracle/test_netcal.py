"""netcal: ECE, MMCE and the DCA penalty are ours; binary MMCE, two penalties' names and a sign are traps."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from oracle_cases import confidences, library
from skinframe_cfa.calibration.confidence_accuracy_difference import dca
from skinframe_cfa.calibration.confidence_penalty import confidence_penalty
from skinframe_cfa.calibration.mmce import mmce_squared, weighted_mmce_squared
from skinframe_cfa.calibration.soft_ece import soft_ece

metrics, regularization = library("netcal.metrics"), library("netcal.regularization")
C, A, LOGITS, LABELS = confidences()


def test_ece_is_the_cold_limit_of_soft_ece():
    theirs = metrics.ECE(bins=15).measure(LOGITS.softmax(1).numpy(), LABELS.numpy())
    assert soft_ece(C, A, 15, 1e-9).item() == pytest.approx(theirs, abs=1e-8)


def test_mmce_on_class_columns_is_the_root_of_ours():
    theirs = metrics.MMCE().measure(LOGITS.softmax(1).numpy(), LABELS.numpy())
    assert mmce_squared(C, A).sqrt().item() == pytest.approx(theirs, rel=1e-9)


def test_trap_binary_mmce_mixes_the_probability_of_class_1_with_correctness():
    """A calibrated model whose class 1 is rare: its own 2-column form says calibrated, its 1-column form does not."""
    rng = np.random.default_rng(5)
    p = rng.beta(1, 6, 4000)
    y = (rng.random(4000) < p).astype(int)
    one = metrics.MMCE().measure(p, y)
    two = metrics.MMCE().measure(np.stack([1 - p, p], axis=1), y)
    c = torch.from_numpy(np.maximum(p, 1 - p))
    a = torch.from_numpy(((p > 0.5).astype(int) == y).astype(float))
    assert mmce_squared(c, a).sqrt().item() == pytest.approx(two, rel=1e-9)
    assert two < 0.02
    assert one > 0.5


def test_the_dca_penalty_is_ours():
    theirs = regularization.DCAPenalty()(LOGITS, LABELS)
    assert dca(C, A).item() == pytest.approx(theirs.item(), rel=1e-6)


def test_trap_the_mmce_penalty_is_the_weighted_form_and_its_root():
    theirs = regularization.MMCEPenalty()(LOGITS, LABELS)
    assert weighted_mmce_squared(C, A).sqrt().item() == pytest.approx(theirs.item(), rel=1e-9)
    assert mmce_squared(C, A).sqrt().item() != pytest.approx(theirs.item(), rel=0.5)


def test_trap_the_confidence_penalty_has_the_opposite_sign_and_is_k_times_too_small():
    """Added to a loss, it rewards confidence."""
    theirs = regularization.ConfidencePenalty()(LOGITS, LABELS)
    assert theirs.item() == pytest.approx(-confidence_penalty(LOGITS, LABELS).item() / 3, rel=1e-9)
    even, sure = torch.zeros(1, 3), torch.tensor([[9.0, 0.0, 0.0]])
    assert regularization.ConfidencePenalty()(even) > regularization.ConfidencePenalty()(sure)
    assert confidence_penalty(even, LABELS[:1]) < confidence_penalty(sure, LABELS[:1])
