"""What every statistic of a batch shares: masking, the queue, the gradient's scale, and the noise floor."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from skinframe.lazy import torch
from skinframe.signals import Labels, Logits
from skinframe_cfa.calibration.detached_queue import DetachedQueue, scale_gradient
from skinframe_cfa.loss_reduction import upcast

if TYPE_CHECKING:
    from torch import Tensor

Read = Callable[["Tensor", "Tensor"], tuple["Tensor", "Tensor"]]
Statistic = Callable[["Tensor", "Tensor"], "Tensor"]


class QueuedStatistic:
    """A statistic of forecasts and outcomes over a queue of detached samples and the live batch.

    `read` takes logits [b, C] and labels [b] to forecasts and outcomes: `top_label`, or `class_wise`. `statistic` takes
    forecasts [n] or [n, C] and outcomes [..., n] to values [...]; the leading dims are draws, for the floor.

    The gradient flows through the live part alone and is scaled by n / n_live: its size does not depend on how full the
    queue is. `value` changes nothing; `commit` queues the samples of a finished step.
    """

    def __init__(self, size: int, read: Read, statistic: Statistic) -> None:
        self.queue = DetachedQueue(size)
        self.read = read
        self.statistic = statistic
        self._seen: Tensor | None = None

    def value(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the statistic over the queued and the live samples that have a label."""
        kept, live = self._live(logits, labels)
        if live is None:
            return kept.sum()
        joined = self.queue.join(live)
        self._seen = joined["forecasts"].detach()
        value = self.statistic(joined["forecasts"], joined["outcomes"])
        return scale_gradient(value, len(joined["forecasts"]) / len(kept))

    def commit(self, logits: Tensor, labels: Tensor) -> None:
        """Queue the samples of a finished step that have a label."""
        _, live = self._live(logits, labels)
        if live is not None:
            self.queue.push(live)

    def _live(self, logits: Tensor, labels: Tensor) -> tuple[Tensor, dict[str, Tensor] | None]:
        """Return the scores of the samples with a label, and their forecasts and outcomes; None where none has one."""
        valid = labels >= 0
        kept = upcast(logits)[valid]
        if len(kept) == 0:
            return kept, None
        forecasts, outcomes = self.read(kept, labels[valid])
        return kept, {"forecasts": forecasts, "outcomes": outcomes}

    def floor(self) -> float | None:
        """Return what a perfectly calibrated model with the last value's forecasts would score; None before one."""
        return None if self._seen is None else noise_floor(self.statistic, self._seen)


class Queued(ABC):
    """A term that is a `QueuedStatistic` of logits; stands before `skinframe.Loss` in the list of bases.

    The term says how logits and labels are read, and the statistic; its options have a `queue`.
    """

    config: Any

    @abstractmethod
    def read(self, logits: Tensor, labels: Tensor, /) -> tuple[Tensor, Tensor]:
        """Return forecasts and outcomes, as `QueuedStatistic` takes them."""

    @abstractmethod
    def statistic(self, forecasts: Tensor, outcomes: Tensor, /) -> Tensor:
        """Return the statistic, as `QueuedStatistic` takes it."""

    @cached_property
    def over(self) -> QueuedStatistic:
        return QueuedStatistic(self.config.queue, self.read, self.statistic)

    def forward(self, logits: Logits, labels: Labels) -> Tensor:
        return self.over.value(logits, labels)

    def commit(self, logits: Tensor, labels: Tensor) -> None:
        """Queue the samples of a finished step."""
        self.over.commit(logits, labels)

    def floor(self) -> float | None:
        """Return what a perfectly calibrated model with the last value's forecasts would score; None before one."""
        return self.over.floor()

    def state(self) -> dict[str, Tensor]:
        """Return the queue's buffers."""
        return self.over.queue.state()

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Restore the queue's buffers. Raises ValueError where they do not fit."""
        self.over.queue.load_state(state)


def noise_floor(statistic: Statistic, forecasts: Tensor, draws: int | None = None) -> float:
    """Return the mean of a statistic if its forecasts were true: simulated in float64 on the CPU with a fixed seed.

    forecasts [n]: outcomes are 1 with that probability. forecasts [n, C]: outcomes are classes drawn from each row.
    `draws` of all outcomes; by default 256, and more where n is small.
    """
    p = forecasts.detach().to("cpu", torch.float64)
    draws = max(256, 2**14 // len(p)) if draws is None else draws
    generator = torch.Generator().manual_seed(0)
    if p.ndim == 1:
        outcomes = (torch.rand(draws, len(p), generator=generator, dtype=p.dtype) < p).to(p.dtype)
    else:
        outcomes = torch.multinomial(p, draws, replacement=True, generator=generator).T
    return float(statistic(p, outcomes).mean())


def check_queue(size: int) -> None:
    """Raise ValueError where a queue's size is negative."""
    if size < 0:
        raise ValueError(f"queue must be >= 0, got {size}")
