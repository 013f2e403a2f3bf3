"""Balancing the terms by their gradient norms."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import skinframe
from skinframe_cfa.balance.saved_term_values import load_numbers, numbers

if TYPE_CHECKING:
    from torch import Tensor

Numbers = Mapping[str, float]


def gradnorm_step(weights: Numbers, norms: Numbers, ratios: Numbers, alpha: float, lr: float) -> dict[str, float]:
    """Return the weights w_i after one descent step in log w on Σ_i |G_i − Ḡ r_i^α| / Ḡ, scaled to keep their sum.

    G_i = w_i ‖∇L_i‖ with norms ‖∇L_i‖ >= 0, Ḡ their mean, r_i = ratios (L_i / L_i(0)) over their mean; Ḡ and the
    targets are constants. In log w a weight stays positive, and divided by Ḡ the rate has no unit.
    """
    pull = {name: weights[name] * norms[name] for name in weights}
    mean, typical = _mean(pull), _mean(ratios)
    if mean == 0 or typical == 0:
        return dict(weights)
    moved = {}
    for name, own in pull.items():
        target = mean * (ratios[name] / typical) ** alpha
        moved[name] = weights[name] * math.exp(-lr * _sign(own - target) * own / mean)
    scale = sum(weights.values()) / sum(moved.values())
    return {name: weight * scale for name, weight in moved.items()}


def _mean(values: Numbers) -> float:
    return sum(values.values()) / len(values) if values else 0.0


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)


class GradNorm(skinframe.Balancer):
    """GradNorm (Chen et al. 2018, arXiv:1711.02257): descent on Σ_i |G_i − Ḡ r_i^α|, G_i = ‖∇_W w_i L_i‖, Σ_i w_i = T.

    r_i is L_i / L_i(0) over its mean: a term that has fallen less is given more pull. W are the weights that two terms
    or more reach. L_i(0) is the first value above 0 that was seen, so a term below 0 is refused. Two departures from
    the paper: the step is taken in log w, and divided by Ḡ.
    """

    name = "gradnorm"
    reads_norms = True

    @dataclass(frozen=True, kw_only=True)
    class Config:
        alpha: float = 1.5  # how strongly a slow term is helped; 0 makes all norms equal
        lr: float = 0.025  # of log w, a step

        def __post_init__(self) -> None:
            if not 0 <= self.alpha < math.inf:
                raise ValueError(f"alpha must be a finite number >= 0, got {self.alpha}")
            if not 0 < self.lr <= 1:
                raise ValueError(f"lr must be in (0, 1], got {self.lr}")

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config)
        self.weights: dict[str, float] = {}
        self.initial: dict[str, float] = {}

    def factors(self, terms: Sequence[str]) -> dict[str, float]:
        return {name: self.weights.get(name, 1.0) for name in terms}

    def learn(self, values: Numbers, norms: Numbers) -> None:
        for name, value in values.items():
            if value < 0:
                raise ValueError(f"gradnorm compares each term with its first value; '{name}' is {value:.4g}, below 0")
            if value > 0:
                self.initial.setdefault(name, value)
        known = [name for name in values if name in self.initial]
        ratios = {name: values[name] / self.initial[name] for name in known}
        weights = {name: self.weights.get(name, 1.0) for name in known}
        pulls = {name: norms[name] for name in known}
        self.weights |= gradnorm_step(weights, pulls, ratios, self.config.alpha, self.config.lr)

    def state(self) -> dict[str, Tensor]:
        return numbers({"weights": self.weights, "initial": self.initial})

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        self.weights, self.initial = load_numbers(state, "weights"), load_numbers(state, "initial")
