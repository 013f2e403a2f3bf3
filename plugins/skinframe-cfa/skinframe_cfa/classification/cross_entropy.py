"""Cross entropy, the baseline that every other term is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import skinframe
from skinframe.lazy import F
from skinframe.signals import ClassCounts, Labels, Logits
from skinframe_cfa.classification.class_weights import Scheme, check_scheme, derived_weights, weights_of
from skinframe_cfa.loss_reduction import Reduction, blank, none_masked, reduce, upcast

if TYPE_CHECKING:
    from torch import Tensor


def cross_entropy(
    logits: Tensor,
    labels: Tensor,
    weights: Tensor | None = None,
    reduction: Reduction = "mean",
    *,
    class_weights: Tensor | None = None,
) -> Tensor:
    """Negative log likelihood of the labels, −w_i log p_iy.

    logits [B, C], labels [B] (negative: masked), weights [B] one a sample, or class_weights [C] > 0, one a class.
    `weighted_mean` equals torch's `cross_entropy(weight=…)`; `mean` divides by the number of samples, so it adds up
    over micro-batches. Raises ValueError where both kinds of weights are given.
    """
    if weights is not None and class_weights is not None:
        raise ValueError("cross_entropy takes weights [B] or class_weights [C], not both")
    values = upcast(logits)
    if weights is None and reduction in ("mean", "weighted_mean") and none_masked(labels):  # torch's fused operation
        scale = class_weights
        if scale is not None and (scale.dtype is not values.dtype or scale.device != values.device):
            scale = scale.to(values)
        if scale is None or reduction == "weighted_mean":
            return F.cross_entropy(values, labels, scale)
        return F.cross_entropy(values, labels, scale, reduction="sum") / len(labels)
    valid, own = labels >= 0, labels.clamp(min=0)
    if class_weights is not None:
        weights = class_weights.to(own.device)[own]
    log_p = F.log_softmax(blank(values, valid), dim=1)
    return reduce(-log_p.gather(1, own.unsqueeze(1)).squeeze(1), valid, weights, reduction)


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
        weights = weights_of(class_counts, self.config.class_weights, self.config.beta)
        return cross_entropy(logits, labels, class_weights=weights)
