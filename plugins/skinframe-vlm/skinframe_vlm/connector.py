"""The connector: the only new parameters between a frozen encoder and the language model."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from skinframe_vlm.config_sizes import pooled_side


class Connector(nn.Module):
    """Map patch tokens [B, P, V] to language-model inputs [B, P, H]: LayerNorm, Linear, GELU, Linear, all float32."""

    def __init__(self, V: int, H: int, *, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(V)
        self.up = nn.Linear(V, H)
        self.dropout = nn.Dropout(dropout)
        self.down = nn.Linear(H, H)

    def forward(self, tokens: Tensor) -> Tensor:
        hidden: Tensor = self.down(self.dropout(F.gelu(self.up(self.norm(tokens)))))
        return hidden

    def initialise(self, seed: int, scale: float) -> None:
        """Draw the weights from `seed` alone; `scale` is the standard deviation of the language model's embeddings.

        With a unit-variance input the second layer gets GELU outputs of second moment about 0.43, whatever V and H.
        """
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for layer, spread in ((self.up, 1.0), (self.down, scale / 0.43**0.5)):
                fresh = torch.randn(layer.weight.shape, generator=generator) * (spread / layer.in_features**0.5)
                layer.weight.copy_(fresh)
                layer.bias.zero_()


def pool_grid(tokens: Tensor, pool: int | None) -> Tensor:
    """Average windows of pool x pool of a square token grid: [B, P, V] to [B, P / pool^2, V], row by row."""
    if pool is None or pool == 1:
        return tokens
    B, P, V = tokens.shape
    side = pooled_side(P, pool)
    grid = tokens.view(B, side, pool, side, pool, V)
    return grid.mean(dim=(2, 4)).reshape(B, side * side, V)
