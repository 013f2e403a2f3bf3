"""A memory of detached samples, so that a statistic of a batch is not noise at micro-batch size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from skinframe.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

FILLED = "filled"  # beside the buffers in a state: how many of their rows are in use


class DetachedQueue:
    """The last `size` samples by column name, oldest first, in buffers of `size` rows; `size` 0 keeps nothing.

    A forward pass calls `join` (queued and live rows, gradient through the live part only); the live rows enter with
    `push`, after the optimiser's step.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.filled = 0
        self._buffers: dict[str, Tensor] = {}

    def __len__(self) -> int:
        return self.filled

    @property
    def columns(self) -> dict[str, Tensor]:
        """The queued rows of each column, [filled, ...]."""
        return {name: buffer[: self.filled] for name, buffer in self._buffers.items()}

    def join(self, live: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return each column with the live rows [b, ...] after the queued ones [n, ...]."""
        queued = self.columns
        return {name: torch.cat([queued[name].to(rows), rows]) if queued else rows for name, rows in live.items()}

    def push(self, live: Mapping[str, Tensor]) -> None:
        """Append the live rows, detached, and forget the oldest beyond `size`."""
        if self.size == 0:
            return
        kept = {n: rows[-self.size :] for n, rows in self.join({n: r.detach() for n, r in live.items()}).items()}
        # new buffers: a state that was handed out must not change afterwards
        self._buffers = {name: self._padded(rows) for name, rows in kept.items()}
        self.filled = len(next(iter(kept.values())))

    def _padded(self, rows: Tensor) -> Tensor:
        buffer = rows.new_zeros((self.size, *rows.shape[1:]))
        buffer[: len(rows)] = rows
        return buffer

    def state(self) -> dict[str, Tensor]:
        """Return the buffers and how many of their rows are in use, as a checkpoint must hold them; empty at first."""
        return {**self._buffers, FILLED: torch.tensor(self.filled)} if self._buffers else {}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Restore `state`; columns without a count are all in use. Raises ValueError where they do not fit."""
        columns = {name: rows for name, rows in state.items() if name != FILLED}
        lengths = {len(rows) for rows in columns.values()}
        longest = max(lengths, default=0)
        filled = int(state.get(FILLED, longest))
        if len(lengths) > 1 or longest > self.size or not 0 <= filled <= longest:
            raise ValueError(
                f"calibration queue: columns of length {sorted(lengths)} do not fit a queue of {self.size}"
            )
        self._buffers = {name: self._padded(rows) for name, rows in columns.items()}
        self.filled = filled


def scale_gradient(value: Tensor, factor: float) -> Tensor:
    """Return `value` unchanged, with its gradient multiplied by `factor`."""
    fixed = value.detach()
    return fixed + (value - fixed) * factor
