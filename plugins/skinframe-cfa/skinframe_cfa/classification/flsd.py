"""Focal loss with a larger γ for samples whose label is unlikely: FLSD-53."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import skinframe
from skinframe.lazy import torch
from skinframe.signals import ClassCounts, Labels, Logits
from skinframe_cfa.classification.class_weights import Scheme, check_scheme, derived_weights, sample_weights
from skinframe_cfa.classification.focal import focal
from skinframe_cfa.reduction import blank, upcast

if TYPE_CHECKING:
    from torch import Tensor

TIE = 1e-6  # a uniform prediction of five classes has p = 0.2 up to rounding, and must fall on one side always


def gamma_by_threshold(logits: Tensor, labels: Tensor, thresholds: Sequence[float], gammas: Sequence[float]) -> Tensor:
    """Return γ_i [B], without a gradient: gammas[j] for the first thresholds[j] above p_iy, else the last of gammas.

    logits [B, C], labels [B] (negative: masked, and then any γ), thresholds rising, one γ more than thresholds.
    """
    with torch.no_grad():
        p = blank(upcast(logits), labels >= 0).softmax(dim=1).gather(1, labels.clamp(min=0).unsqueeze(1))
        edges = torch.tensor([edge - TIE for edge in thresholds], dtype=p.dtype, device=p.device)
        below = (p >= edges).sum(dim=1)
        return torch.tensor(gammas, dtype=p.dtype, device=p.device)[below]


class FLSD(skinframe.Loss):
    """FLSD-53 (Mukhoti et al. 2020, arXiv:2002.09437): (1/B) Σ_i −w_{y_i} (1 − p_iy)^γ_i log p_iy.

    γ_i = 5 where p_iy < 0.2, else 3, and carries no gradient. Like focal loss it is no proper score.
    """

    name = "flsd"
    coupling = "per_sample"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        hard: float = 5.0  # γ of samples whose label has less than `threshold`
        easy: float = 3.0  # γ of all the others
        threshold: float = 0.2  # of the label's probability
        class_weights: Scheme = "effective_number"  # weight of a class from its training count
        beta: float = 0.9999  # of effective_number

        def __post_init__(self) -> None:
            for name in ("hard", "easy"):
                if not (math.isfinite(getattr(self, name)) and getattr(self, name) >= 0):
                    raise ValueError(f"{name} must be a finite number >= 0, got {getattr(self, name)}")
            if not 0 < self.threshold < 1:
                raise ValueError(f"threshold must be in (0, 1), got {self.threshold}")
            check_scheme(self.class_weights, self.beta)

    def derived(self, class_counts: Sequence[int]) -> dict[str, list[float]]:
        """Return the class weights."""
        return derived_weights(class_counts, self.config.class_weights, self.config.beta)

    def forward(self, logits: Logits, labels: Labels, class_counts: ClassCounts | None = None) -> Tensor:
        weights = sample_weights(class_counts, labels, self.config.class_weights, self.config.beta)
        gamma = gamma_by_threshold(logits, labels, [self.config.threshold], [self.config.hard, self.config.easy])
        return focal(logits, labels, gamma, weights)
