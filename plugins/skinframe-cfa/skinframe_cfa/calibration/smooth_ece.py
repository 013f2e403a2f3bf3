"""Smooth expected calibration error at a fixed width."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import skinframe
from skinframe.lazy import torch
from skinframe_cfa.calibration.forecasts_and_outcomes import top_label
from skinframe_cfa.calibration.queued_statistic import Queued, check_queue

if TYPE_CHECKING:
    from torch import Tensor


def reflected_gaussian(confidence: Tensor, sigma: float, points: int) -> Tensor:
    """Return the share of c_i at each of `points` midpoints t of [0, 1], by a Gaussian reflected there [n, points].

    confidence c [n], sigma ≤ 1. Rows add up to 1, so that quadrature cannot break the bounds of `smooth_ece`.
    """
    t = (torch.arange(points, dtype=confidence.dtype, device=confidence.device) + 0.5) / points
    reach = math.ceil((1 + 8 * sigma) / 2)  # images further than 8 sigma are below rounding
    turns = 2 * torch.arange(-reach, reach + 1, dtype=confidence.dtype, device=confidence.device)
    images = torch.cat([confidence.unsqueeze(1) + turns, turns - confidence.unsqueeze(1)], dim=1)
    squares = (t - images.unsqueeze(2)).square()
    return (-squares / (2 * sigma**2)).logsumexp(dim=1).softmax(dim=1)


def smooth_ece(confidence: Tensor, correct: Tensor, sigma: float = 0.05, points: int = 100) -> Tensor:
    """Smooth ECE at fixed σ (Błasiok and Nakkiran 2023, arXiv:2309.12236): ∫_0^1 |Σ_i K_σ(t, c_i) (a_i − c_i) / n| dt.

    confidence c [n], correct a [..., n] -> [...], K_σ the Gaussian reflected at 0 and 1; the integral is a sum over
    `points` midpoints. |mean(a − c)| ≤ value ≤ mean |a − c|, and it falls with σ. The published metric is this at the
    σ* where the value equals σ*; a loss keeps σ fixed.
    """
    u = reflected_gaussian(confidence, sigma, points)
    return ((correct - confidence) @ u / len(confidence)).abs().sum(dim=-1)


class SmoothECELoss(Queued, skinframe.Loss):
    """Smooth ECE at fixed σ (Błasiok and Nakkiran 2023, arXiv:2309.12236): ∫_0^1 |Σ_i K_σ(t, c_i) (a_i − c_i) / n| dt.

    c_i = max_k p_ik, a_i = 1[argmax = y_i], K_σ the Gaussian reflected at 0 and 1; i runs over a queue of detached
    samples and the live batch (see `QueuedStatistic`).
    """

    name = "smooth_ece"
    coupling = "batch"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        sigma: float = 0.05  # width of the Gaussian, in confidence
        points: int = 100  # of the quadrature
        queue: int = 512  # detached samples remembered; 0 is off

        def __post_init__(self) -> None:
            if not 0 < self.sigma <= 1:
                raise ValueError(f"sigma must be in (0, 1], got {self.sigma}")
            if self.points * self.sigma < 1:
                raise ValueError(f"points must be >= 1 / sigma, got {self.points} at sigma {self.sigma}")
            check_queue(self.queue)

    read = staticmethod(top_label)

    def statistic(self, forecasts: Tensor, outcomes: Tensor) -> Tensor:
        return smooth_ece(forecasts, outcomes, self.config.sigma, self.config.points)
