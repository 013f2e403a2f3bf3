"""Soft-binned expected calibration error."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import skinframe
from skinframe.lazy import torch
from skinframe_cfa.calibration.forecasts_and_outcomes import power_mean, top_label
from skinframe_cfa.calibration.queued_statistic import Queued, check_queue

if TYPE_CHECKING:
    from torch import Tensor


def membership(confidence: Tensor, bins: int, temperature: float) -> Tensor:
    """Return u_ij = softmax_j(−(c_i − ξ_j)² / T) [n, M], with ξ_j the centres of M equal bins of [0, 1].

    Raises ValueError where T is not positive: soft bins then lie inside out, as in ports that take T from
    1 / (log(decay) M²) with a decay below 1.
    """
    if not temperature > 0:
        raise ValueError(f"temperature must be > 0, got {temperature}")
    centres = (torch.arange(bins, dtype=confidence.dtype, device=confidence.device) + 0.5) / bins
    return (-(confidence.unsqueeze(1) - centres).square() / temperature).softmax(dim=1)


def soft_ece(
    confidence: Tensor, correct: Tensor, bins: int = 15, temperature: float = 0.01, power: float = 1.0
) -> Tensor:
    """Soft-binned ECE (Karandikar et al. 2021, arXiv:2108.00106): (Σ_j S_j/n |A_j − C_j|^p)^(1/p), S_j = Σ_i u_ij.

    confidence c [n], correct a [..., n] -> [...]; A_j − C_j = Σ_i u_ij (a_i − c_i) / S_j. With `power` p = 1 that is
    Σ_j |Σ_i u_ij (a_i − c_i)| / n. T → 0 gives the hard equal-width ECE; |mean(a − c)| ≤ value always, and at p = 1
    value ≤ mean |a − c|. For p > 1 the root is guarded (see `power_mean`).
    """
    u = membership(confidence, bins, temperature)
    gaps = (correct - confidence) @ u / len(confidence)
    return power_mean(gaps, u.mean(dim=0), power)


class SoftECE(Queued, skinframe.Loss):
    """Soft-binned ECE (Karandikar et al. 2021, arXiv:2108.00106): (Σ_j S_j/n |A_j − C_j|^p)^(1/p), S_j = Σ_i u_ij.

    c_i = max_k p_ik, a_i = 1[argmax = y_i], u_ij = softmax_j(−(c_i − ξ_j)² / T), A_j and C_j the u-weighted means of a
    and c; i runs over a queue of detached samples and the live batch (see `QueuedStatistic`).
    """

    name = "soft_ece"
    coupling = "batch"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        bins: int = 15
        temperature: float = 0.01  # of the soft bins, in squared confidence
        power: float = 1.0  # p of the mean over bins; above 1 large gaps count more
        queue: int = 512  # detached samples remembered; 0 is off

        def __post_init__(self) -> None:
            if self.bins < 1:
                raise ValueError(f"bins must be >= 1, got {self.bins}")
            if not (math.isfinite(self.temperature) and self.temperature > 0):
                raise ValueError(f"temperature must be a finite number > 0, got {self.temperature}")
            if not (math.isfinite(self.power) and self.power >= 1):
                raise ValueError(f"power must be a finite number >= 1, got {self.power}")
            check_queue(self.queue)

    read = staticmethod(top_label)

    def statistic(self, forecasts: Tensor, outcomes: Tensor) -> Tensor:
        return soft_ece(forecasts, outcomes, self.config.bins, self.config.temperature, self.config.power)
