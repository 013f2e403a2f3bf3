"""From scores to forecasts and outcomes (of the top label or of every class), and power means of calibration gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def top_label(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return confidence c_i = max_k p_ik [B] and correctness a_i = 1[argmax_k z_ik = y_i] [B].

    logits [B, C], labels [B] in 0…C−1. Where m classes tie for the top, a right one counts 1/m: the expected accuracy
    of a fair draw among them, so that no class order is preferred and uniform scores are perfectly calibrated.
    """
    top = logits == logits.amax(dim=1, keepdim=True)
    right = top.gather(1, labels.unsqueeze(1)).squeeze(1)
    confidence = logits.softmax(dim=1).amax(dim=1)
    return confidence, right.to(confidence.dtype) / top.sum(dim=1)


def class_wise(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return probabilities p_ik [B, C] and the labels [B] as they are; logits [B, C]."""
    return logits.softmax(dim=1), labels


GUARD = 1e-6


def power_mean(gaps: Tensor, shares: Tensor, power: float) -> Tensor:
    """Return (Σ_j w_j |g_j / w_j|^p + ε^p)^(1/p) − ε; for p = 1 plainly Σ_j |g_j|.

    gaps g [..., M] with |g_j| ≤ w_j, shares w [M] that add up to 1 -> [...]. ε = 1e-6 (`GUARD`) takes the place of the
    root's infinite slope at 0, and lowers the value by ε at most. No power of a small number is taken: terms are
    divided by the largest first.
    """
    if power == 1:
        return gaps.abs().sum(dim=-1)
    # g_j w_j^(1/p − 1): its p-th power is a bin's term. The clamp keeps its slope w^(1/p − 2) in float32's range; a bin
    # below it holds no sample to speak of, and counts less
    terms = gaps.abs() * shares.clamp(min=1e-12) ** (1 / power - 1)
    scale = terms.detach().amax(dim=-1, keepdim=True).clamp(min=GUARD)
    total = ((terms / scale) ** power).sum(dim=-1) + (GUARD / scale.squeeze(-1)) ** power
    return scale.squeeze(-1) * total ** (1 / power) - GUARD
