"""Focal loss whose γ follows from how hard each sample is: by the paper's rounded thresholds (FLSD) or exactly."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import skinframe
from skinframe.lazy import torch
from skinframe.signals import ClassCounts, Labels, Logits
from skinframe_cfa.classification.class_weights import Scheme, check_scheme, derived_weights, sample_weights
from skinframe_cfa.classification.focal import focal
from skinframe_cfa.loss_reduction import blank, upcast

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


def gamma_of(p: float) -> float:
    """Return γ* > 0 with g(p, γ*) = 1: focal loss pushes harder than cross entropy on labels less likely than p.

    γ* = a/b + W₋₁(−(a^(1−a/b)/b) log a) / log a with a = 1 − p, b = p log p and W₋₁ the lower branch of Lambert's W.
    Falls from infinity at p → 0 to 0 at p = ½. Raises ValueError outside (0, ½): no positive γ does it there.
    """
    if not 0 < p < 0.5:
        raise ValueError(f"p must be in (0, 0.5), got {p}")
    log_a, b = math.log1p(-p), p * math.log(p)
    ratio = (1 - p) / b
    return ratio + _lower_lambert(-math.exp((1 - ratio) * log_a) / b * log_a) / log_a


def _lower_lambert(x: float) -> float:
    """Return W₋₁(x) for x in (−1/e, 0): w ≤ −1 with w e^w = x, by Halley's iteration (Corless et al. 1996)."""
    near = -math.sqrt(max(2 * (1 + math.e * x), 0.0))  # the branch point's series, where x is near −1/e
    w = -1 + near - near * near / 3 if x < -0.25 else math.log(-x) - math.log(-math.log(-x))
    for _ in range(50):
        excess = w * math.exp(w) - x
        if w == -1 or excess == 0:
            break
        slope = math.exp(w) * (w + 1) - (w + 2) * excess / (2 * w + 2)
        step = excess / slope
        w -= step
        if abs(step) <= 1e-16 * abs(w):
            break
    return w


class AdaptiveFocal(skinframe.Loss):
    """Sample-dependent focal loss (Mukhoti et al. 2020, arXiv:2002.09437): (1/B) Σ_i −w_{y_i} (1 − p_iy)^γ_i log p_iy.

    γ_i = γ*(p0) of the least threshold p0 above p_iy, of the last one where none is, and carries no gradient: a sample
    just under a threshold has cross entropy's gradient, a harder one more. `flsd` has the paper's rounded γ. Without
    thresholds, γ*(p_iy) itself would be cross entropy's gradient everywhere.
    """

    name = "adaptive_focal"
    coupling = "per_sample"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        thresholds: tuple[float, ...] = (0.2, 0.25)  # p0, rising, each in (0, 0.5)
        class_weights: Scheme = "effective_number"  # weight of a class from its training count
        beta: float = 0.9999  # of effective_number

        def __post_init__(self) -> None:
            edges = (0.0, *self.thresholds, 0.5)
            if not self.thresholds or not all(low < high for low, high in pairwise(edges)):
                raise ValueError(f"thresholds must rise between 0 and 0.5, got {self.thresholds}")
            check_scheme(self.class_weights, self.beta)

    def derived(self, class_counts: Sequence[int]) -> dict[str, list[float]]:
        """Return the class weights."""
        return derived_weights(class_counts, self.config.class_weights, self.config.beta)

    def forward(self, logits: Logits, labels: Labels, class_counts: ClassCounts | None = None) -> Tensor:
        weights = sample_weights(class_counts, labels, self.config.class_weights, self.config.beta)
        steps = [gamma_of(p) for p in self.config.thresholds]
        gamma = gamma_by_threshold(logits, labels, self.config.thresholds, (*steps, steps[-1]))
        return focal(logits, labels, gamma, weights)
