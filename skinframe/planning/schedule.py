"""The weight of a loss over time: a number, or a ramp."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from skinframe.errors import Problem, RecipeError
from skinframe.recipe.typed import typed


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """A weight over time: from `start` to `to` over `epochs` epochs, then constant."""

    to: float
    start: float = 0.0
    epochs: float = 1.0
    shape: Literal["linear", "cosine"] = "linear"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.to) and math.isfinite(self.start) and 0 <= self.epochs < math.inf):
            raise ValueError("to and start must be finite numbers, epochs a finite number not below 0")

    def at(self, epoch: float) -> float:
        """Return the weight at a fractional epoch (0 is the first step)."""
        share = min(1.0, epoch / self.epochs) if self.epochs > 0 else 1.0
        if self.shape == "cosine":
            share = (1 - math.cos(math.pi * share)) / 2
        return self.start + (self.to - self.start) * share


def schedule_of(weight: Any, where: str) -> Schedule:
    """Return the schedule of a recipe's `weight`, a number or a mapping. Raises RecipeError."""
    if isinstance(weight, int | float) and not isinstance(weight, bool):
        weight = {"to": weight, "start": weight}
    schedule, problems = typed(Schedule, weight, where)
    if schedule is None:
        told = "a weight is a number or a schedule such as {to: 0.5, start: 0, epochs: 1}"
        raise RecipeError(where, [Problem(problem.where, f"{problem.what}; {told}") for problem in problems])
    return schedule


def is_zero(weight: object) -> bool:
    return isinstance(weight, int | float) and not isinstance(weight, bool) and weight == 0
