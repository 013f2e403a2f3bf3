"""Logit adjustment: the class prior as an offset of the scores, in training or after it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import skinframe
from skinframe.lazy import torch
from skinframe.signals import ClassCounts, Labels, Logits
from skinframe_cfa.classification.class_weights import seen_counts
from skinframe_cfa.classification.cross_entropy import cross_entropy
from skinframe_cfa.loss_reduction import Reduction, upcast

if TYPE_CHECKING:
    from torch import Tensor


def log_prior(counts: Tensor) -> Tensor:
    """Return log π_k = log(n_k / Σ_j n_j) [C], float64. Raises ValueError naming the classes without a sample."""
    n = seen_counts(counts, "tau")
    return n.log() - n.sum().log()


def logit_adjustment(
    logits: Tensor, labels: Tensor, counts: Tensor, tau: float = 1.0, reduction: Reduction = "mean"
) -> Tensor:
    """Logit-adjusted cross entropy (Menon et al. 2021, arXiv:2007.07314): −log softmax(z_i + τ log π)_{y_i}.

    logits z [B, C], labels [B] (negative: masked), counts [C]. τ = 0 or a uniform prior is cross entropy. With τ = 1
    softmax(z) estimates the posterior under a uniform prior; `with_prior` gives it under another.
    """
    offset = (tau * log_prior(counts)).to(logits.device)
    values = upcast(logits)
    return cross_entropy(values + offset.to(values.dtype), labels, None, reduction)


def with_prior(logits: Tensor, prior: Tensor) -> Tensor:
    """Return softmax(z + log π') [B, C]: probabilities under a deployment prior π' [C] of adjusted scores z (τ = 1).

    A class of prior 0 gets probability 0. Raises ValueError where a prior is negative or all are 0.
    """
    if not bool((prior >= 0).all()) or not bool((prior > 0).any()):
        raise ValueError(f"prior must hold numbers >= 0 that are not all 0, got {prior.tolist()}")
    values = upcast(logits)
    return torch.softmax(values + prior.to(values).log(), dim=1)


class LogitAdjustment(skinframe.Loss):
    """Logit-adjusted cross entropy (Menon et al. 2021, arXiv:2007.07314): (1/B) Σ_i −log softmax(z_i + τ log π)_{y_i}.

    Scores learn the posterior as if all classes were equally common (τ = 1), so softmax(z) is no probability under the
    training prior: `with_prior` before reading it as one. Not to be joined with class weights, which do the same work.
    """

    name = "logit_adjustment"
    coupling = "per_sample"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        tau: float = 1.0  # how much of the log prior is added; 0 is cross entropy

        def __post_init__(self) -> None:
            if not (math.isfinite(self.tau) and self.tau >= 0):
                raise ValueError(f"tau must be a finite number >= 0, got {self.tau}")

    def derived(self, class_counts: Sequence[int]) -> dict[str, list[float]]:
        """Return the offset of each class's score, τ log π_k."""
        return {"score offset": (self.config.tau * log_prior(torch.tensor(class_counts))).tolist()}

    def forward(self, logits: Logits, labels: Labels, class_counts: ClassCounts) -> Tensor:
        return logit_adjustment(logits, labels, class_counts, self.config.tau)
