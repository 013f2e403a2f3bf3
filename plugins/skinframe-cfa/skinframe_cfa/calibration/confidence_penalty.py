"""Confidence penalty: the negative entropy of the scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import skinframe
from skinframe.lazy import F
from skinframe.signals import Labels, Logits
from skinframe_cfa.loss_reduction import Reduction, blank, reduce, upcast

if TYPE_CHECKING:
    from torch import Tensor


def confidence_penalty(logits: Tensor, labels: Tensor, reduction: Reduction = "mean") -> Tensor:
    """Confidence penalty (Pereyra et al. 2017, arXiv:1701.06548): Σ_k p_ik log p_ik = −H(p_i), in [−log C, 0].

    logits [B, C]; labels [B] only say who is masked (negative). Least at uniform p.
    """
    valid = labels >= 0
    log_p = F.log_softmax(blank(upcast(logits), valid), dim=1)
    return reduce((log_p.exp() * log_p).sum(dim=1), valid, None, reduction)


class ConfidencePenalty(skinframe.Loss):
    """Confidence penalty (Pereyra et al. 2017, arXiv:1701.06548): −(1/B) Σ_i H(p_i).

    The paper's β is the term's weight in the recipe. It flattens every prediction, right or wrong: alone it is least
    at uniform p.
    """

    name = "confidence_penalty"
    coupling = "per_sample"

    def forward(self, logits: Logits, labels: Labels) -> Tensor:
        return confidence_penalty(logits, labels)
