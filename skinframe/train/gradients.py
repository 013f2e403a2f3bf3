"""The gradient of each term, apart: its norm, and its norm over the weights that terms share."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn


class TermGradients:
    """Sums each term's own gradient over the micro-batches of a step, one copy of the trained weights a term."""

    def __init__(self, parameters: Sequence[nn.Parameter]) -> None:
        self.parameters = list(parameters)
        self.sums: dict[str, list[Tensor | None]] = {}

    def add(self, values: Mapping[str, Tensor], scales: Mapping[str, float]) -> None:
        """Add scales[name] · ∂values[name]/∂θ. The graphs are kept for the backward pass that follows."""
        for name, value in values.items():
            own = self.sums.setdefault(name, [None] * len(self.parameters))
            if not value.requires_grad:
                continue
            found = torch.autograd.grad(value, self.parameters, retain_graph=True, allow_unused=True)
            for place, gradient in enumerate(found):
                if gradient is not None:
                    scaled, before = gradient * scales[name], own[place]
                    own[place] = scaled if before is None else before + scaled

    def norms(self) -> dict[str, float]:
        """Return ‖∇_θ L_i‖ of each term over all trained weights θ."""
        return {name: _norm(own) for name, own in self.sums.items()}

    def shared_norms(self) -> dict[str, float]:
        """Return ‖∇_W L_i‖ of each term over the weights W that two terms or more reach; 0 where none are."""
        reached = [sum(own[place] is not None for own in self.sums.values()) for place in range(len(self.parameters))]
        shared = [place for place, count in enumerate(reached) if count > 1]
        return {name: _norm([own[place] for place in shared]) for name, own in self.sums.items()}


def _norm(gradients: Sequence[Tensor | None]) -> float:
    return math.sqrt(sum(float(g.double().square().sum()) for g in gradients if g is not None))
