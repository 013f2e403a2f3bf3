"""The weight of a loss over time: a constant or a ramp."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from skinframe.errors import Problem, RecipeError, did_you_mean
from skinframe.recipe.recipe_schema import LossPart
from skinframe.recipe.typed_dataclasses import typed

SHAPES = ("linear", "cosine")


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """A weight over time: `start` for `delay` epochs, then to `to` over `epochs` epochs, then constant.

    `epochs: 0` is a jump; with `to: 0` and a `start` it is a term that is switched off.
    """

    to: float
    start: float = 0.0
    epochs: float = 1.0
    delay: float = 0.0
    shape: Literal["linear", "cosine"] = "linear"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.to) and math.isfinite(self.start)):
            raise ValueError(f"to and start must be finite numbers, got {self.to} and {self.start}")
        if self.to < 0 or self.start < 0:
            raise ValueError(
                f"to and start must not be negative (a loss would be maximised), got {min(self.to, self.start)}"
            )
        if not (0 <= self.epochs < math.inf and 0 <= self.delay < math.inf):
            raise ValueError(f"epochs and delay must be finite and not below 0, got {self.epochs} and {self.delay}")
        if self.shape not in SHAPES:
            raise ValueError(f"no shape '{self.shape}'{did_you_mean(str(self.shape), SHAPES)}")

    def at(self, epoch: float) -> float:
        """Return the weight at a fractional epoch (0 is the first step); exactly `start` before, exactly `to` after."""
        since = epoch - self.delay
        if since < 0 or (since == 0 and self.epochs > 0):
            return self.start
        if since >= self.epochs:
            return self.to
        share = since / self.epochs
        if self.shape == "cosine":
            share = (1 - math.cos(math.pi * share)) / 2
        low, high = sorted((self.start, self.to))
        return min(max(self.start + (self.to - self.start) * share, low), high)

    @property
    def never(self) -> bool:
        """Say whether the weight is 0 at every step: such a term is left out, as with `enabled: false`."""
        return self.to == 0 and (self.start == 0 or self.epochs == self.delay == 0)


def schedule_of(weight: Any, where: str) -> Schedule:
    """Return the schedule of a recipe's `weight`, a number or a mapping. Raises RecipeError."""
    if isinstance(weight, int | float) and not isinstance(weight, bool):
        weight = {"to": weight, "start": weight}
    schedule, problems = typed(Schedule, weight, where)
    if schedule is None:
        forms = "a weight is a number or a schedule such as {to: 0.5, start: 0, epochs: 1}"
        raise RecipeError(where, [Problem(problem.where, f"{problem.what}; {forms}") for problem in problems])
    return schedule


def loss_schedules(losses: Mapping[str, LossPart]) -> tuple[dict[str, Schedule], list[Problem]]:
    """Return the schedule of each enabled loss by name, and the problems of those that cannot be read."""
    schedules: dict[str, Schedule] = {}
    problems: list[Problem] = []
    for name, loss in losses.items():
        try:
            if loss.enabled:
                schedules[name] = schedule_of(loss.weight, f"losses.{name}.weight")
        except RecipeError as error:
            problems += error.problems
    return schedules, problems
