"""No balancing: the recipe's weights as they stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from skinframe.components import Balancer


class Unbalanced(Balancer):
    """The recipe's weights as they stand, the default."""

    name = "none"

    def factors(self, terms: Sequence[str]) -> dict[str, float]:
        return {}

    def learn(self, values: Mapping[str, float], norms: Mapping[str, float]) -> None:
        """Learn nothing."""
