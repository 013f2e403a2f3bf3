"""Cross entropy with smoothed targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import skinframe
from skinframe.lazy import F
from skinframe.signals import ClassCounts, Labels, Logits
from skinframe_cfa.classification.class_weights import Scheme, check_scheme, derived_weights, sample_weights
from skinframe_cfa.loss_reduction import Reduction, blank, reduce, upcast

if TYPE_CHECKING:
    from torch import Tensor


def label_smoothing(
    logits: Tensor, labels: Tensor, smoothing: float, weights: Tensor | None = None, reduction: Reduction = "mean"
) -> Tensor:
    """Label smoothing (Szegedy et al. 2016, arXiv:1512.00567): −w_i Σ_k q_ik log p_ik, q_ik = (1 − ε) 1[k = y_i] + ε/K.

    logits [B, C], labels [B] (negative: masked), weights [B] one a sample: the weight is that of the label, where
    torch's own `label_smoothing` weighs each class's share of ε apart. Never below the entropy of q.
    """
    valid = labels >= 0
    log_p = F.log_softmax(blank(upcast(logits), valid), dim=1)
    own = log_p.gather(1, labels.clamp(min=0).unsqueeze(1)).squeeze(1)
    return reduce(-((1 - smoothing) * own + smoothing * log_p.mean(dim=1)), valid, weights, reduction)


class LabelSmoothing(skinframe.Loss):
    """Label smoothing (Szegedy et al. 2016, arXiv:1512.00567): (1/B) Σ_i −w_{y_i} Σ_k q_ik log p_ik.

    q_ik = (1 − ε) 1[k = y_i] + ε/K. Its minimiser is (1 − ε) η_k + ε/K: less confident than the posterior η by design.
    """

    name = "label_smoothing"
    coupling = "per_sample"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        smoothing: float = 0.1  # ε, the share of the target that all classes divide; 0 is cross entropy
        class_weights: Scheme = "none"  # weight of a class from its training count
        beta: float = 0.9999  # of effective_number

        def __post_init__(self) -> None:
            if not 0 <= self.smoothing < 1:
                raise ValueError(f"smoothing must be in [0, 1), got {self.smoothing}")
            check_scheme(self.class_weights, self.beta)

    def derived(self, class_counts: Sequence[int]) -> dict[str, list[float]]:
        """Return the class weights."""
        return derived_weights(class_counts, self.config.class_weights, self.config.beta)

    def forward(self, logits: Logits, labels: Labels, class_counts: ClassCounts | None = None) -> Tensor:
        weights = sample_weights(class_counts, labels, self.config.class_weights, self.config.beta)
        return label_smoothing(logits, labels, self.config.smoothing, weights)
