"""Brier score: strictly proper, so it needs no queue and no bins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import skinframe
from skinframe.lazy import F
from skinframe.signals import Labels, Logits
from skinframe_cfa.loss_reduction import Reduction, blank, reduce, upcast

if TYPE_CHECKING:
    from torch import Tensor


def brier(logits: Tensor, labels: Tensor, reduction: Reduction = "mean") -> Tensor:
    """Multi-class Brier score (Brier 1950): Σ_k (p_ik − 1[y_i = k])², in [0, 2].

    logits [B, C], labels [B] (negative: masked).
    """
    valid = labels >= 0
    p = blank(upcast(logits), valid).softmax(dim=1)
    truth = F.one_hot(labels.clamp(min=0), p.shape[1]).to(p.dtype)
    return reduce((p - truth).square().sum(dim=1), valid, None, reduction)


class BrierLoss(skinframe.Loss):
    """Multi-class Brier score (Brier 1950): (1/B) Σ_i Σ_k (p_ik − 1[y_i = k])²."""

    name = "brier"
    coupling = "per_sample"

    def forward(self, logits: Logits, labels: Labels) -> Tensor:
        return brier(logits, labels)
