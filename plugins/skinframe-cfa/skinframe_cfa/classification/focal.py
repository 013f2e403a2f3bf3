"""Focal loss."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import skinframe
from skinframe.signals import ClassCounts, Labels, Logits
from skinframe_cfa.classification.class_weights import Scheme, check_scheme, derived_weights, sample_weights
from skinframe_cfa.loss_reduction import Reduction, blank, none_masked, reduce, reduce_all, upcast

if TYPE_CHECKING:
    from torch import Tensor


def focal(
    logits: Tensor, labels: Tensor, gamma: float | Tensor, weights: Tensor | None = None, reduction: Reduction = "mean"
) -> Tensor:
    """Focal loss (Lin et al. 2017, arXiv:1708.02002): −w_i (1 − p_iy)^γ log p_iy.

    logits [B, C] with C ≥ 2, labels [B] (negative: masked), weights [B] one a sample, γ one for all or [B]. Both
    logarithms come from the margin of the label over the other classes: (1 − exp(log p))^γ has a NaN gradient at
    saturated scores for 0 < γ < 1.
    """
    from skinframe_cfa.classification.focal_kernel import FocalOfLogits

    if none_masked(labels):
        return reduce_all(FocalOfLogits.apply(upcast(logits), labels, gamma), weights, reduction)
    valid = labels >= 0
    values = FocalOfLogits.apply(blank(upcast(logits), valid), labels.clamp(min=0), gamma)
    return reduce(values, valid, weights, reduction)


class Focal(skinframe.Loss):
    """Focal loss (Lin et al. 2017, arXiv:1708.02002): (1/B) Σ_i −w_{y_i} (1 − p_{i,y_i})^γ log p_{i,y_i}.

    Not a proper score: its minimiser is under-confident; `posterior_correction.focal_to_posterior` turns p into a
    posterior probability.
    """

    name = "focal"
    coupling = "per_sample"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        gamma: float = 2.0  # 0 is cross entropy
        class_weights: Scheme = "effective_number"  # weight of a class from its training count
        beta: float = 0.9999  # of effective_number

        def __post_init__(self) -> None:
            if not (math.isfinite(self.gamma) and self.gamma >= 0):
                raise ValueError(f"gamma must be a finite number >= 0, got {self.gamma}")
            check_scheme(self.class_weights, self.beta)

    def derived(self, class_counts: Sequence[int]) -> dict[str, list[float]]:
        """Return the class weights."""
        return derived_weights(class_counts, self.config.class_weights, self.config.beta)

    def forward(self, logits: Logits, labels: Labels, class_counts: ClassCounts | None = None) -> Tensor:
        weights = sample_weights(class_counts, labels, self.config.class_weights, self.config.beta)
        return focal(logits, labels, self.config.gamma, weights)
