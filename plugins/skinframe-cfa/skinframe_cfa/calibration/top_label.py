"""From scores to forecasts and outcomes: of the top label alone, or of every class."""

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
