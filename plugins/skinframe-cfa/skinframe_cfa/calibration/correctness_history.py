"""How often each training sample was classified rightly, over its visits so far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from skinframe.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor


class CorrectnessHistory:
    """Right answers and visits of each sample, by its id: its row in the manifest, from 0."""

    def __init__(self) -> None:
        self.right: Tensor | None = None
        self.visits: Tensor | None = None

    def read(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Return right answers and visits so far of the samples `ids` [n], float64; 0 where one was never seen."""
        right, visits = self._grown(ids)
        return right[ids], visits[ids]

    def after(self, ids: Tensor, correct: Tensor) -> tuple[Tensor, Tensor]:
        """Return what `read` would give once `record` had counted the same visits; changes nothing."""
        right, visits = self._counted(ids, correct)
        return right[ids], visits[ids]

    def record(self, ids: Tensor, correct: Tensor) -> None:
        """Count one visit of each of the samples `ids` [n]; correct a [n] in [0, 1]."""
        self.right, self.visits = self._counted(ids, correct)

    def _counted(self, ids: Tensor, correct: Tensor) -> tuple[Tensor, Tensor]:
        right, visits = self._grown(ids)
        # out of place: a state that was handed out must not change afterwards
        right = right.index_add(0, ids, correct.detach().to(right))
        return right, visits.index_add(0, ids, torch.ones_like(ids, dtype=visits.dtype))

    def state(self) -> dict[str, Tensor]:
        """Return both columns; empty before the first visit."""
        return {} if self.right is None or self.visits is None else {"right": self.right, "visits": self.visits}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Restore `state`. Raises ValueError where the columns differ in length."""
        right, visits = state.get("right"), state.get("visits")
        lengths = [0 if column is None else len(column) for column in (right, visits)]
        if lengths[0] != lengths[1]:
            raise ValueError(
                f"correctness history: columns of {lengths[0]} and {lengths[1]} rows do not fit each other"
            )
        self.right, self.visits = right, visits

    def _grown(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Return both columns, long enough for `ids`, where those are."""
        size = int(ids.max()) + 1 if len(ids) else 0
        grown = []
        for column in (self.right, self.visits):
            old = torch.zeros(0, dtype=torch.float64) if column is None else column
            fresh = torch.zeros(max(size - len(old), 0), dtype=old.dtype)
            grown.append(torch.cat([old.to(ids.device), fresh.to(ids.device)]))
        return grown[0], grown[1]
