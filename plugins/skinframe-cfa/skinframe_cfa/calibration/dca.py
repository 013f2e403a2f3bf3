"""Difference of confidence and accuracy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import skinframe
from skinframe_cfa.calibration.queued import Queued, check_queue
from skinframe_cfa.calibration.top_label import top_label

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
