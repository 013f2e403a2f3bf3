"""Difference of confidence and accuracy: DCA of the top label, MDCA of every class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import skinframe
from skinframe.lazy import F
from skinframe_cfa.calibration.forecasts_and_outcomes import class_wise, top_label
from skinframe_cfa.calibration.queued_statistic import Queued, check_queue

if TYPE_CHECKING:
    from torch import Tensor


def dca(confidence: Tensor, correct: Tensor) -> Tensor:
    """DCA (Liang et al. 2020, arXiv:2009.04057): |mean_i a_i − mean_i c_i|, the expected calibration error of one bin.

    confidence c [n], correct a [..., n] -> [...]. The gradient flows through c alone: accuracy has none.
    """
    return (correct - confidence).mean(dim=-1).abs()


class DCA(Queued, skinframe.Loss):
    """DCA (Liang et al. 2020, arXiv:2009.04057): |mean_i a_i − mean_i c_i|.

    c_i = max_k p_ik, a_i = 1[argmax = y_i]; i runs over a queue of detached samples and the live batch (see
    `QueuedStatistic`). Over-confident and under-confident samples cancel, and a rare class is not heard: `mdca` takes
    the mean in each class.
    """

    name = "dca"
    coupling = "batch"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        queue: int = 512  # detached samples remembered; 0 is off

        def __post_init__(self) -> None:
            check_queue(self.queue)

    read, statistic = staticmethod(top_label), staticmethod(dca)


def mdca(probabilities: Tensor, labels: Tensor) -> Tensor:
    """MDCA (Hebbalaguppe et al. 2022, arXiv:2203.13834): (1/K) Σ_k |mean_i p_ik − mean_i 1[y_i = k]|.

    probabilities p [n, K], labels y [..., n] in 0…K−1 -> [...]. No argmax, so every class's mean is trained.
    """
    truth = F.one_hot(labels, probabilities.shape[1]).to(probabilities.dtype)
    return (probabilities - truth).mean(dim=-2).abs().mean(dim=-1)


class MDCA(Queued, skinframe.Loss):
    """MDCA (Hebbalaguppe et al. 2022, arXiv:2203.13834): (1/K) Σ_k |mean_i p_ik − mean_i 1[y_i = k]|.

    i runs over a queue of detached samples and the live batch (see `QueuedStatistic`).
    """

    name = "mdca"
    coupling = "batch"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        queue: int = 512  # detached samples remembered; 0 is off

        def __post_init__(self) -> None:
            check_queue(self.queue)

    read, statistic = staticmethod(class_wise), staticmethod(mdca)
