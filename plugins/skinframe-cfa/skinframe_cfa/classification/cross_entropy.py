"""Cross entropy, the baseline that every other term is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import skinframe
from skinframe.lazy import F
from skinframe.signals import ClassCounts, Labels, Logits
from skinframe_cfa.classification.class_weights import Scheme, check_scheme, derived_weights, sample_weights
from skinframe_cfa.reduction import Reduction, blank, none_masked, reduce, reduce_all, upcast

if TYPE_CHECKING:
    from torch import Tensor


def cross_entropy(
    logits: Tensor, labels: Tensor, weights: Tensor | None = None, reduction: Reduction = "mean"
) -> Tensor:
    """Negative log likelihood of the labels, −w_i log p_iy.

    logits [B, C], labels [B] (negative: masked), weights [B] one a sample. `weighted_mean` equals torch's
    `cross_entropy(weight=…)`; `mean` divides by the number of samples, so it adds up over micro-batches.
    """
    if none_masked(labels):
        if weights is None and reduction == "mean":
            return F.cross_entropy(upcast(logits), labels)
        return reduce_all(F.cross_entropy(upcast(logits), labels, reduction="none"), weights, reduction)
    valid = labels >= 0
    log_p = F.log_softmax(blank(upcast(logits), valid), dim=1)
    own = labels.clamp(min=0).unsqueeze(1)
    return reduce(-log_p.gather(1, own).squeeze(1), valid, weights, reduction)


class CrossEntropy(skinframe.Loss):
    """Cross entropy with optional class weights: (1/B) Σ_i −w_{y_i} log p_{i,y_i}.

    Class weights move the minimiser away from the posterior, to p_k ∝ w_k η_k.
    """

    name = "cross_entropy"
    coupling = "per_sample"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        class_weights: Scheme = "none"  # weight of a class from its training count
        beta: float = 0.9999  # of effective_number

        def __post_init__(self) -> None:
            check_scheme(self.class_weights, self.beta)

    def derived(self, class_counts: Sequence[int]) -> dict[str, list[float]]:
        """Return the class weights."""
        return derived_weights(class_counts, self.config.class_weights, self.config.beta)

    def forward(self, logits: Logits, labels: Labels, class_counts: ClassCounts | None = None) -> Tensor:
        weights = sample_weights(class_counts, labels, self.config.class_weights, self.config.beta)
        return cross_entropy(logits, labels, weights)
