"""Weighted maximum mean calibration error: right and wrong samples weigh alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import skinframe
from skinframe_cfa.calibration.mmce import check_width, laplacian
from skinframe_cfa.calibration.queued import Queued, check_queue
from skinframe_cfa.calibration.top_label import top_label

if TYPE_CHECKING:
    from torch import Tensor


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
