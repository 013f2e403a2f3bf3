"""Uncertainty weighting of the terms."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import skinframe
from skinframe_cfa.balance.saved_term_values import load_numbers, numbers

if TYPE_CHECKING:
    from torch import Tensor


def uncertainty_step(log_variance: float, value: float, lr: float, limit: float) -> float:
    """Return s after one descent step on exp(−s) L + s / 2, kept in [−limit, limit]. Its minimum is s = log 2L."""
    moved = log_variance - lr * (0.5 - math.exp(-log_variance) * value)
    return min(max(moved, -limit), limit)


class Uncertainty(skinframe.Balancer):
    """Uncertainty weighting (Kendall, Gal and Cipolla 2018, arXiv:1705.07115): Σ_i exp(−s_i) L_i + s_i / 2.

    s_i = log σ_i², learned by gradient descent on the raw terms; the factor is exp(−s_i) and settles at 1 / 2L_i, so
    each term comes to count the same, whatever its unit. A term that falls to 0 is therefore pushed up without end:
    `limit` bounds |s_i|; one below 0 is refused. The log shows Σ_i exp(−s_i) λ_i L_i, without the s_i / 2.
    """

    name = "uncertainty"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        lr: float = 0.01  # of s, a step
        limit: float = 3.0  # of |s|: factors stay in [exp(−limit), exp(limit)]

        def __post_init__(self) -> None:
            if not 0 < self.lr < math.inf:
                raise ValueError(f"lr must be a finite number > 0, got {self.lr}")
            if not 0 < self.limit <= 20:
                raise ValueError(f"limit must be in (0, 20], got {self.limit}")

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config)
        self.log_variance: dict[str, float] = {}

    def factors(self, terms: Sequence[str]) -> dict[str, float]:
        return {name: math.exp(-self.log_variance.get(name, 0.0)) for name in terms}

    def learn(self, values: Mapping[str, float], norms: Mapping[str, float]) -> None:
        for name, value in values.items():
            if value < 0:
                raise ValueError(f"uncertainty settles at half a term's inverse; '{name}' is {value:.4g}, below 0")
            before = self.log_variance.get(name, 0.0)
            self.log_variance[name] = uncertainty_step(before, value, self.config.lr, self.config.limit)

    def state(self) -> dict[str, Tensor]:
        return numbers({"log_variance": self.log_variance})

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        self.log_variance = load_numbers(state, "log_variance")
