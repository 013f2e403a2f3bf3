"""Soft-binned expected calibration error."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import skinframe
from skinframe.lazy import torch
from skinframe.signals import Labels, Logits
from skinframe_cfa.calibration.queue import DetachedQueue, scale_gradient
from skinframe_cfa.calibration.top_label import top_label
from skinframe_cfa.reduction import upcast

if TYPE_CHECKING:
    from torch import Tensor


def membership(confidence: Tensor, bins: int, temperature: float) -> Tensor:
    """Return u_ij = softmax_j(−(c_i − ξ_j)² / T) [n, M], with ξ_j the centres of M equal bins of [0, 1]."""
    centres = (torch.arange(bins, dtype=confidence.dtype, device=confidence.device) + 0.5) / bins
    return (-(confidence.unsqueeze(1) - centres).square() / temperature).softmax(dim=1)


def soft_ece(confidence: Tensor, correct: Tensor, bins: int = 15, temperature: float = 0.01) -> Tensor:
    """L1 soft-binned ECE (Karandikar et al. 2021, arXiv:2108.00106): Σ_j |Σ_i u_ij (a_i − c_i)| / n.

    confidence c [n], correct a [n]. T → 0 gives the hard equal-width ECE; |mean(a − c)| ≤ value ≤ mean |a − c| always.
    The L1 form, because the root of the L2 form has a NaN gradient at zero residual.
    """
    u = membership(confidence, bins, temperature)
    return (u * (correct - confidence).unsqueeze(1)).sum(dim=0).abs().sum() / max(len(confidence), 1)


def soft_ece_floor(confidence: Tensor, bins: int = 15, temperature: float = 0.01, draws: int = 256) -> float:
    """Return the mean soft-binned ECE of a perfectly calibrated model with these confidences c [n].

    Simulated with a fixed seed: a_i ~ Bernoulli(c_i), `draws` times.
    """
    c = confidence.detach().to("cpu", torch.float64)
    generator = torch.Generator().manual_seed(0)
    a = (torch.rand(draws, len(c), generator=generator, dtype=c.dtype) < c).to(c.dtype)
    return float(((a - c) @ membership(c, bins, temperature)).abs().sum(dim=1).mean() / max(len(c), 1))


class SoftECE(skinframe.Loss):
    """L1 soft-binned ECE (Karandikar et al. 2021, arXiv:2108.00106): Σ_j |Σ_i u_ij (a_i − c_i)| / n.

    c_i = max_k p_ik, a_i = 1[argmax = y_i], u_ij = softmax_j(−(c_i − ξ_j)² / T). i runs over a queue of detached
    samples and the live batch; the gradient flows through the live part alone and is scaled by n / n_live, so that a
    step of several micro-batches, each seeing the others in the queue, has the gradient of one large batch.
    """

    name = "soft_ece"
    coupling = "batch"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        bins: int = 15
        temperature: float = 0.01  # of the soft bins, in squared confidence
        queue: int = 512  # detached samples remembered; 0 is off

        def __post_init__(self) -> None:
            if self.bins < 1:
                raise ValueError(f"bins must be >= 1, got {self.bins}")
            if not (math.isfinite(self.temperature) and self.temperature > 0):
                raise ValueError(f"temperature must be a finite number > 0, got {self.temperature}")
            if self.queue < 0:
                raise ValueError(f"queue must be >= 0, got {self.queue}")

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config)
        self.queue = DetachedQueue(self.config.queue)
        self._seen: Tensor | None = None

    def forward(self, logits: Logits, labels: Labels) -> Tensor:
        valid = labels >= 0
        kept = upcast(logits)[valid]
        if len(kept) == 0:
            return kept.sum()
        confidence, correct = top_label(kept, labels[valid])
        live = {"confidence": confidence, "correct": correct}
        joined = self.queue.join(live)
        self._seen = joined["confidence"].detach()
        value = soft_ece(joined["confidence"], joined["correct"], self.config.bins, self.config.temperature)
        self.queue.push(live)
        return scale_gradient(value, len(joined["confidence"]) / len(kept))

    def floor(self) -> float | None:
        """Return what a perfectly calibrated model with the last value's confidences would score; None before one."""
        if self._seen is None:
            return None
        return soft_ece_floor(self._seen, self.config.bins, self.config.temperature)

    def state(self) -> dict[str, Tensor]:
        return self.queue.state()

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        self.queue.load_state(state)
