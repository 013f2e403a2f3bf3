"""Balancers: factors of the loss terms, learned while training."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from skinframe.components.base import Component

if TYPE_CHECKING:
    from torch import Tensor


class Balancer(Component):
    """A factor for each term, learned from how training goes; the recipe's weight multiplies on top.

    `factors` is called before each step; `learn` after it, without the terms whose weight was 0 at that step.
    """

    kind = "balancer"
    reads_norms: ClassVar[bool] = False  # costs one backward pass a term at every step

    @abstractmethod
    def factors(self, terms: Sequence[str]) -> dict[str, float]:
        """Return each term's factor for the step to come, finite; a term that is not returned keeps its weight."""

    @abstractmethod
    def learn(self, values: Mapping[str, float], norms: Mapping[str, float]) -> None:
        """Take each evaluated term's raw value and, with `reads_norms`, the norm of its raw gradient.

        The norm is over the weights that two terms or more reach. Raises ValueError where a value does not fit the
        method; the message names the term.
        """

    def state(self) -> dict[str, Tensor]:
        """Return what must survive a resume."""
        return {}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state` returned."""
