"""Explainers: heat maps over image tokens."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

from skinframe.components.base import Component

if TYPE_CHECKING:
    from torch import Tensor


class Explainer(Component):
    """A heat map over image tokens for one prediction."""

    kind = "explainer"

    @abstractmethod
    def explain(self, forward: Callable[[Tensor], Tensor], image_tokens: Tensor, classes: Tensor) -> Tensor:
        """Return heat [B, P] >= 0 for the given classes; `forward` maps image tokens [B, P, V] to logits [B, C]."""
