"""A memory of detached samples, so that a statistic of a batch is not noise at micro-batch size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from skinframe.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor


class DetachedQueue:
    """The last `size` samples as detached columns by name, each [n, ...]; `size` 0 keeps nothing.

    A step does `join` (queue + live part, gradient through the live part only), then `push` (the live part enters).
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.columns: dict[str, Tensor] = {}

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def join(self, live: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return each column with the live rows [b, ...] after the queued ones [n, ...]."""
        if not self.columns:
            return dict(live)
        return {name: torch.cat([self.columns[name].to(rows), rows]) for name, rows in live.items()}

    def push(self, live: Mapping[str, Tensor]) -> None:
        """Append the live rows, detached, and forget the oldest beyond `size`."""
        if self.size > 0:
            joined = self.join({name: rows.detach() for name, rows in live.items()})
            self.columns = {name: rows[-self.size :].clone() for name, rows in joined.items()}

    def state(self) -> dict[str, Tensor]:
        """Return the columns, as a checkpoint must hold them."""
        return dict(self.columns)

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Take back `state`. Raises ValueError where the columns differ in length or exceed `size`."""
        lengths = {len(rows) for rows in state.values()}
        if len(lengths) > 1 or max(lengths, default=0) > self.size:
            raise ValueError(
                f"calibration queue: columns of length {sorted(lengths)} do not fit a queue of {self.size}"
            )
        self.columns = dict(state)


def scale_gradient(value: Tensor, factor: float) -> Tensor:
    """Return `value` unchanged, with its gradient multiplied by `factor`."""
    fixed = value.detach()
    return fixed + (value - fixed) * factor
