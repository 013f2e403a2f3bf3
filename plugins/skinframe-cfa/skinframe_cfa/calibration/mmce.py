"""Maximum mean calibration error, plain and weighted by class of outcome."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import skinframe
from skinframe.lazy import torch
from skinframe_cfa.calibration.forecasts_and_outcomes import top_label
from skinframe_cfa.calibration.queued_statistic import Queued, check_queue

if TYPE_CHECKING:
    from torch import Tensor


def laplacian(confidence: Tensor, width: float) -> Tensor:
    """Return the kernel exp(−|c_i − c_j| / width) [n, n], positive definite; confidence c [n]."""
    return torch.exp(-(confidence.unsqueeze(1) - confidence.unsqueeze(0)).abs() / width)


def mmce_squared(confidence: Tensor, correct: Tensor, width: float = 0.4, estimator: Literal["v", "u"] = "v") -> Tensor:
    """MMCE² (Kumar et al. 2018, PMLR 80): Σ_ij r_i r_j exp(−|c_i − c_j| / width) / n², with r = a − c.

    confidence c [n], correct a [..., n] -> [...]. The square, because the root has a NaN gradient at 0. `u` leaves out
    i = j and divides by n (n − 1): its mean is 0 for a calibrated model, so it may be negative; 0 for one sample.
    (mean r)² / (1 + 1 / (2 width)) ≤ `v` ≤ (mean |r|)².
    """
    residual, n = correct - confidence, len(confidence)
    total = ((residual @ laplacian(confidence, width)) * residual).sum(dim=-1)
    if estimator == "v":
        return total / n**2
    return (total - residual.square().sum(dim=-1)) / max(n * (n - 1), 1)


class MMCE(Queued, skinframe.Loss):
    """MMCE² (Kumar et al. 2018, PMLR 80): Σ_ij (a_i − c_i) (a_j − c_j) exp(−|c_i − c_j| / width) / n².

    c_i = max_k p_ik, a_i = 1[argmax = y_i]; i runs over a queue of detached samples and the live batch (see
    `QueuedStatistic`). The squared error: small near calibration, so it wants a larger weight than `soft_ece`.
    """

    name = "mmce"
    coupling = "batch"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        width: float = 0.4  # of the Laplacian kernel, in confidence
        estimator: Literal["v", "u"] = "v"  # u: without the diagonal, unbiased, may be negative
        queue: int = 512  # detached samples remembered; 0 is off

        def __post_init__(self) -> None:
            check_width(self.width)
            if self.estimator not in ("v", "u"):
                raise ValueError(f"estimator must be v or u, got {self.estimator!r}")
            check_queue(self.queue)

    read = staticmethod(top_label)

    def statistic(self, forecasts: Tensor, outcomes: Tensor) -> Tensor:
        return mmce_squared(forecasts, outcomes, self.config.width, self.config.estimator)


def check_width(width: float) -> None:
    """Raise ValueError where a kernel's width is not a positive number."""
    if not (math.isfinite(width) and width > 0):
        raise ValueError(f"width must be a finite number > 0, got {width}")


def weighted_mmce_squared(confidence: Tensor, correct: Tensor, width: float = 0.4) -> Tensor:
    """Weighted MMCE² (Kumar et al. 2018, PMLR 80): wrong pairs / m₀² + right pairs / m₁² − 2 mixed pairs / (m₀ m₁).

    Wrong pairs Σ c_i c_j k_ij, right pairs Σ (1 − c_i) (1 − c_j) k_ij, mixed pairs Σ (1 − c_i) c_j k_ij, with m₁ right
    and m₀ wrong samples and k_ij = exp(−|c_i − c_j| / width). That is sᵀ k s with s_i = a_i (1 − c_i) / m₁ −
    (1 − a_i) c_i / m₀. confidence c [n], correct a [..., n] -> [...]. A side without a sample contributes 0.

    Its minimum is not calibration: where all confidences are equal, it is 0 at c = ½ whatever the accuracy.
    """
    right, wrong = correct, 1 - correct
    # a side is empty or has at least a share of one sample: a tie of m classes counts 1/m
    m1, m0 = (side.sum(dim=-1, keepdim=True) for side in (right, wrong))
    s = right * (1 - confidence) / m1.clamp(min=1e-12) - wrong * confidence / m0.clamp(min=1e-12)
    return ((s @ laplacian(confidence, width)) * s).sum(dim=-1)


class WeightedMMCE(Queued, skinframe.Loss):
    """Weighted MMCE² (Kumar et al. 2018, PMLR 80): sᵀ k s, s_i = a_i (1 − c_i) / m₁ − (1 − a_i) c_i / m₀.

    c_i = max_k p_ik, a_i = 1[argmax = y_i], m₁ right and m₀ wrong samples, k_ij = exp(−|c_i − c_j| / width); i runs
    over a queue of detached samples and the live batch (see `QueuedStatistic`). A network that is nearly always right
    still hears its few errors; in return its minimum is not at calibration (see `weighted_mmce_squared`).
    """

    name = "weighted_mmce"
    coupling = "batch"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        width: float = 0.4  # of the Laplacian kernel, in confidence
        queue: int = 512  # detached samples remembered; 0 is off

        def __post_init__(self) -> None:
            check_width(self.width)
            check_queue(self.queue)

    read = staticmethod(top_label)

    def statistic(self, forecasts: Tensor, outcomes: Tensor) -> Tensor:
        return weighted_mmce_squared(forecasts, outcomes, self.config.width)
