"""Label-distribution-aware margins: rarer classes must win by more."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import skinframe
from skinframe.lazy import F, torch
from skinframe.signals import ClassCounts, Labels, Logits
from skinframe_cfa.classification.class_weights import seen_counts
from skinframe_cfa.classification.cross_entropy import cross_entropy
from skinframe_cfa.loss_reduction import Reduction, upcast

if TYPE_CHECKING:
    from torch import Tensor


def margins(counts: Tensor, largest: float) -> Tensor:
    """Return Δ_k = M (n_k / min_j n_j)^(−1/4) [C], float64; the rarest class has M. Raises ValueError at a 0."""
    n = seen_counts(counts, "margin")
    return largest * (n / n.min()) ** -0.25


def ldam(
    logits: Tensor, labels: Tensor, counts: Tensor, largest: float, scale: float, reduction: Reduction = "mean"
) -> Tensor:
    """LDAM (Cao et al. 2019, arXiv:1906.07413): −log softmax(s (z_i − Δ_{y_i} e_{y_i}))_{y_i}.

    logits z [B, C], cosines in the paper, labels [B] (negative: masked), counts [C]. M = 0 is the cross entropy of s z,
    and no M gives less than that.
    """
    values = upcast(logits)
    own = labels.clamp(min=0)
    delta = margins(counts, largest).to(values)[own].unsqueeze(1)
    reduced = values - delta * F.one_hot(own, values.shape[1]).to(values.dtype)
    return cross_entropy(scale * reduced, labels, None, reduction)


class LDAM(skinframe.Loss):
    """LDAM (Cao et al. 2019, arXiv:1906.07413): (1/B) Σ_i −log softmax(s (z_i − Δ_{y_i} e_{y_i}))_{y_i}.

    Δ_k = M (n_k / min_j n_j)^(−1/4). The paper's s = 30 and M = 0.5 are for cosine scores in [−1, 1]; the
    defaults here are for plain scores. The paper's deferred re-weighting is a schedule, not part of this loss.
    """

    name = "ldam"
    coupling = "per_sample"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        margin: float = 0.5  # M, that of the rarest class; 0 is cross entropy
        scale: float = 1.0  # s; 30 where the scores are cosines

        def __post_init__(self) -> None:
            if not (math.isfinite(self.margin) and self.margin >= 0):
                raise ValueError(f"margin must be a finite number >= 0, got {self.margin}")
            if not (math.isfinite(self.scale) and self.scale > 0):
                raise ValueError(f"scale must be a finite number > 0, got {self.scale}")

    def derived(self, class_counts: Sequence[int]) -> dict[str, list[float]]:
        """Return the margin of each class."""
        return {"margin": margins(torch.tensor(class_counts), self.config.margin).tolist()}

    def forward(self, logits: Logits, labels: Labels, class_counts: ClassCounts) -> Tensor:
        return ldam(logits, labels, class_counts, self.config.margin, self.config.scale)
