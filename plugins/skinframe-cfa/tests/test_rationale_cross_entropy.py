"""Rationale: the mean over tokens, and empty text."""

from __future__ import annotations

import torch
from skinframe_cfa.rationale_cross_entropy import Rationale
from torch.nn import functional as F


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
