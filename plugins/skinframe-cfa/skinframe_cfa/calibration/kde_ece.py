"""Calibration error by kernel regression: no bins, every sample judged by the others."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import skinframe
from skinframe.lazy import F, torch
from skinframe_cfa.calibration.forecasts_and_outcomes import class_wise, top_label
from skinframe_cfa.calibration.queued_statistic import Queued, check_queue

if TYPE_CHECKING:
    from torch import Tensor

EDGE = 1e-6


def leave_one_out(points: Tensor, bandwidth: float) -> Tensor:
    """Return weights w_ij = k(f_i; f_j) / Σ_{l≠i} k(f_i; f_l), w_ii = 0, of a Dirichlet kernel on the simplex [n, n].

    points f [n, K], rows on the simplex, n ≥ 2. k(f_i; f_j) is the density at f_i of Dirichlet(f_j / bandwidth + 1);
    K = 2 is the Beta kernel. Probabilities below 1e-6 (`EDGE`) are raised to it: the density is 0 or infinite there.
    """
    f = points.clamp(min=EDGE)
    f = f / f.sum(dim=1, keepdim=True)
    # each row of f adds up to 1, so the normaliser's Γ(Σ_k α_jk) is the same for every j and cancels
    log_k = f.log() @ f.T / bandwidth - torch.lgamma(f / bandwidth + 1).sum(dim=1)
    itself = torch.eye(len(f), dtype=torch.bool, device=f.device)
    return log_k.masked_fill(itself, -torch.inf).softmax(dim=1)


def kde_ece(confidence: Tensor, correct: Tensor, bandwidth: float = 0.05, power: float = 1.0) -> Tensor:
    """Top-label KDE-ECE (Popordanoska et al. 2022, arXiv:2210.07810): mean_i |Σ_{j≠i} w_ij a_j − c_i|^p, Beta kernel.

    confidence c [n], correct a [..., n] -> [...], w as in `leave_one_out`. No root is taken. One sample gives 0.
    """
    if len(confidence) < 2:
        return (correct - confidence).sum(dim=-1) * 0
    w = leave_one_out(torch.stack([confidence, 1 - confidence], dim=1), bandwidth)
    return (correct @ w.T - confidence).abs().pow(power).mean(dim=-1)


def canonical_kde_ece(probabilities: Tensor, labels: Tensor, bandwidth: float = 0.05, power: float = 1.0) -> Tensor:
    """Canonical KDE-ECE (Popordanoska et al. 2022): mean_i Σ_k |Σ_{j≠i} w_ij 1[y_j = k] − p_ik|^p, Dirichlet kernel.

    probabilities p [n, K], labels y [..., n] in 0…K−1 -> [...]. One sample gives 0. The only sample of its class has
    no other to be judged by: its class's estimate is 0 there.
    """
    truth = F.one_hot(labels, probabilities.shape[1]).to(probabilities.dtype)
    if len(probabilities) < 2:
        return (truth - probabilities).sum(dim=(-1, -2)) * 0
    estimate = leave_one_out(probabilities, bandwidth) @ truth
    return (estimate - probabilities).abs().pow(power).sum(dim=-1).mean(dim=-1)


class KDEECE(Queued, skinframe.Loss):
    """KDE-ECE (Popordanoska et al. 2022, arXiv:2210.07810): mean_i |Σ_{j≠i} w_ij a_j − c_i|^p, w_ij ∝ k(c_i; c_j).

    `beta`: of the top label's confidence c and correctness a. `dirichlet`: of all class probabilities at once
    (canonical calibration), summed over classes. i and j run over a queue of detached samples and the live batch (see
    `QueuedStatistic`). Each sample is left out of its own estimate, so exact calibration in the sample does not give 0.
    """

    name = "kde_ece"
    coupling = "batch"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        kernel: Literal["beta", "dirichlet"] = "beta"  # beta: top label; dirichlet: all classes
        bandwidth: float = 0.05  # of the kernel; the authors choose it by leave-one-out likelihood
        power: float = 1.0  # p; no root is taken
        queue: int = 512  # detached samples remembered; 0 is off

        def __post_init__(self) -> None:
            if self.kernel not in ("beta", "dirichlet"):
                raise ValueError(f"kernel must be beta or dirichlet, got {self.kernel!r}")
            if not (math.isfinite(self.bandwidth) and self.bandwidth > 0):
                raise ValueError(f"bandwidth must be a finite number > 0, got {self.bandwidth}")
            if not (math.isfinite(self.power) and self.power >= 1):
                raise ValueError(f"power must be a finite number >= 1, got {self.power}")
            check_queue(self.queue)

    def read(self, logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        return (top_label if self.config.kernel == "beta" else class_wise)(logits, labels)

    def statistic(self, forecasts: Tensor, outcomes: Tensor) -> Tensor:
        formula = kde_ece if self.config.kernel == "beta" else canonical_kde_ece
        return formula(forecasts, outcomes, self.config.bandwidth, self.config.power)
