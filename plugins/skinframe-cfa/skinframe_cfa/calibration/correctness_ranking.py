"""Correctness ranking: who was right more often over the epochs should be more confident."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import skinframe
from skinframe.lazy import torch
from skinframe.signals import Labels, Logits, SampleIds
from skinframe_cfa.calibration.correctness_history import CorrectnessHistory
from skinframe_cfa.calibration.detached_queue import DetachedQueue, scale_gradient
from skinframe_cfa.calibration.forecasts_and_outcomes import top_label
from skinframe_cfa.calibration.queued_statistic import check_queue
from skinframe_cfa.loss_reduction import upcast

if TYPE_CHECKING:
    from torch import Tensor


def correctness_ranking(confidence: Tensor, rate: Tensor) -> Tensor:
    """Correctness ranking loss (Moon et al. 2020, arXiv:2007.01458), [|κ_i − κ_j| − sign(κ_i − κ_j) (c_i − c_j)]₊.

    confidence c [n], running correctness κ = `rate` [n]; the mean over pairs i < j. 0 where confidences differ as the
    rates do; one sample gives 0. All pairs, where the released code takes neighbours in a shuffled batch: the same
    expectation, and no order.
    """
    c, k = (each.unsqueeze(1) - each.unsqueeze(0) for each in (confidence, rate))
    n = len(confidence)
    return (k.abs() - k.sign() * c).relu().sum() / max(n * (n - 1), 1)


def ranking_floor(confidence: Tensor, visits: Tensor, draws: int | None = None) -> float:
    """Return the mean loss of a calibrated model: κ_i ~ Binomial(visits_i, c_i) / visits_i, with a fixed seed.

    confidence c [n], visits [n] ≥ 1. `draws` of all κ; by default 4, and more where n is small. It falls as visits add
    up: early on, most of the term is the noise of κ.
    """
    draws = max(4, 1024 // len(confidence)) if draws is None else draws
    c, count = (each.detach().to("cpu", torch.float64) for each in (confidence, visits))
    generator = torch.Generator().manual_seed(0)
    rates = (torch.binomial(count, c.clamp(0, 1), generator=generator) / count for _ in range(draws))
    return sum(float(correctness_ranking(c, rate)) for rate in rates) / draws


class CorrectnessRanking(skinframe.Loss):
    """Correctness ranking loss (Moon et al. 2020, arXiv:2007.01458): mean [|κ_i − κ_j| − sign(κ_i − κ_j)(c_i − c_j)]₊.

    c_i = max_k p_ik; κ_i is the share of sample i's visits so far at which it was classified rightly, kept by sample id
    in the checkpoint. Pairs run over a queue of detached samples, with the c and κ that they had then, and the live
    batch; the gradient is scaled as in `QueuedStatistic`. With `current: false`, as released, a visit counts from the
    next one on: nothing is ranked in the first epoch.
    """

    name = "correctness_ranking"
    coupling = "batch"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        current: bool = True  # whether κ counts the visit at hand
        queue: int = 512  # detached samples remembered; 0 is off

        def __post_init__(self) -> None:
            check_queue(self.queue)

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config)
        self.queue = DetachedQueue(self.config.queue)
        self.history = CorrectnessHistory()
        self._seen: tuple[Tensor, Tensor] | None = None

    def forward(self, logits: Logits, labels: Labels, sample_ids: SampleIds) -> Tensor:
        kept, ids, confidence, correct = self._labelled(logits, labels, sample_ids)
        live = self._ranked(ids, confidence, correct)
        if not len(live["rate"]):
            return kept.sum() * 0
        joined = self.queue.join(live)
        self._seen = (joined["confidence"].detach(), joined["visits"])
        value = correctness_ranking(joined["confidence"], joined["rate"])
        return scale_gradient(value, len(joined["rate"]) / len(live["rate"]))

    def commit(self, logits: Tensor, labels: Tensor, sample_ids: Tensor) -> None:
        """Count the visits of a finished step and queue its ranked samples."""
        _, ids, confidence, correct = self._labelled(logits, labels, sample_ids)
        live = self._ranked(ids, confidence, correct)
        self.history.record(ids, correct)
        if len(live["rate"]):
            self.queue.push(live)

    @staticmethod
    def _labelled(logits: Tensor, labels: Tensor, sample_ids: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return scores, ids, confidence and correctness of the samples that have a label and an id."""
        valid = (labels >= 0) & (sample_ids >= 0)
        kept = upcast(logits)[valid]
        return kept, sample_ids[valid], *top_label(kept, labels[valid])

    def _ranked(self, ids: Tensor, confidence: Tensor, correct: Tensor) -> dict[str, Tensor]:
        """Return confidence, rate and visits of the samples with a visit that counts."""
        right, visits = self.history.after(ids, correct) if self.config.current else self.history.read(ids)
        known = visits > 0
        rate = (right / visits).to(confidence)
        return {name: each[known] for name, each in (("confidence", confidence), ("rate", rate), ("visits", visits))}

    def floor(self) -> float | None:
        """Return what a calibrated model with the last value's confidences would score; None before one."""
        return None if self._seen is None else ranking_floor(*self._seen)

    def state(self) -> dict[str, Tensor]:
        """Return the history and the queue's buffers."""
        return self.history.state() | {f"queue_{name}": rows for name, rows in self.queue.state().items()}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Restore `state`. Raises ValueError where columns do not fit."""
        own = {name: rows for name, rows in state.items() if not name.startswith("queue_")}
        self.history.load_state(own)
        self.queue.load_state({name.removeprefix("queue_"): rows for name, rows in state.items() if name not in own})
