"""Numbers by term, as a checkpoint holds them: float64, so that a resume goes on with the same bits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from skinframe.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor


def numbers(groups: Mapping[str, Mapping[str, float]]) -> dict[str, Tensor]:
    """Return `{"group.term": value}` as scalar tensors."""
    return {
        f"{group}.{name}": torch.tensor(value, dtype=torch.float64)
        for group, values in groups.items()
        for name, value in values.items()
    }


def load_numbers(state: Mapping[str, Tensor], group: str) -> dict[str, float]:
    """Return one group of what `numbers` gave."""
    start = f"{group}."
    return {name.removeprefix(start): float(value) for name, value in state.items() if name.startswith(start)}
