"""Feature maps to tokens."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def pool_grid(features: Tensor, grid: int | None) -> Tensor:
    """Return the tokens [B, P, V] of a feature map [B, V, h, w], averaged to `grid` x `grid` cells if given."""
    if grid is not None and tuple(features.shape[-2:]) != (grid, grid):
        features = F.adaptive_avg_pool2d(features, grid)
    return features.flatten(2).transpose(1, 2).contiguous()
