"""The objective: named terms, their weights over time, and a total that is right under gradient accumulation."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from torch import Tensor

from skinframe.components import Loss
from skinframe.errors import DataError, NonFiniteError, Problem, RecipeError
from skinframe.planning import Plan
from skinframe.planning.address import column
from skinframe.planning.schedule import Schedule, schedule_of


@dataclass(frozen=True)
class Term:
    """One loss with its weight and the full names of the signals that feed it."""

    name: str
    loss: Loss
    schedule: Schedule
    feeds: Mapping[str, str]


class Objective:
    """Evaluates the terms. A term whose weight is 0 at a step is not evaluated there: 0 · NaN is NaN."""

    def __init__(self, plan: Plan) -> None:
        self.terms = tuple(
            Term(name, plan.parts.losses[name], schedule_of(plan.recipe.losses[name].weight, f"losses.{name}"), feeds)
            for name, feeds in plan.graph.terms.items()
        )
        self.balancer = plan.parts.balancer

    def weights(self, epoch: float) -> dict[str, float]:
        """Return what multiplies each term: its schedule's weight, times the balancer's factor if it gives one."""
        factors = self.factors()
        planned = {term.name: term.schedule.at(epoch) for term in self.terms}
        return {name: weight * factors[name] if name in factors else weight for name, weight in planned.items()}

    def factors(self) -> dict[str, float]:
        """Return the balancer's factors. Raises NonFiniteError naming a term."""
        found = self.balancer.factors([term.name for term in self.terms])
        for name, factor in found.items():
            if not math.isfinite(factor):
                raise NonFiniteError(f"balancer: the factor of losses.{name} is {factor}; leave the balancer out")
        return found

    def learn(self, values: Mapping[str, float], norms: Mapping[str, float]) -> None:
        """Tell the balancer what a step found. Raises RecipeError where a term does not fit its method."""
        try:
            self.balancer.learn(values, norms)
        except ValueError as error:
            raise RecipeError("objective", [Problem("balancer", str(error))]) from error

    def counts(self, batch: Mapping[str, Tensor]) -> dict[str, int]:
        """Return how many loss terms each loss has in a micro-batch, from batch signals alone; masked: none."""
        return {term.name: _valid(batch[column(term.loss.normalise_by)]) for term in self.terms}

    def parts(
        self, signals: Mapping[str, Tensor], weights: Mapping[str, float], only: Collection[str] | None = None
    ) -> dict[str, Tensor]:
        """Return each term's raw value, for the terms (among `only`, where it is given) whose weight is not 0.

        Raises DataError naming the term where it refuses its inputs (a class without a training sample, say) and
        RecipeError where it fails or gives no scalar.
        """
        terms = [term for term in self.terms if only is None or term.name in only]
        return {term.name: _value(term, signals) for term in terms if weights[term.name] != 0}

    def floors(self) -> dict[str, float]:
        """Return, for the terms that have one, what a perfectly calibrated model would score at their size."""
        found = {}
        for term in self.terms:
            floor = getattr(term.loss, "floor", None)
            value = floor() if callable(floor) else None
            if value is not None:
                found[term.name] = float(value)
        return found

    def notes(self) -> dict[str, dict[str, float]]:
        """Return what the terms note about their last values, such as a scale and whether it is at its clamp."""
        return {term.name: term.loss.notes() for term in self.terms}

    def state(self) -> dict[str, Tensor]:
        return {f"{term.name}.{key}": value for term in self.terms for key, value in term.loss.state().items()}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        for term in self.terms:
            prefix = f"{term.name}."
            term.loss.load_state({k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)})


def _value(term: Term, signals: Mapping[str, Tensor]) -> Tensor:
    """Return one term. A plugin's mistake is reported under its name; `--debug` shows where it is."""
    where = f"losses.{term.name}"
    try:
        value: object = term.loss.forward(**{role: signals[full] for role, full in term.feeds.items()})
    except ValueError as error:
        raise DataError(f"{where}: {error}") from error
    except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError) as error:
        what = f"'{term.loss.name}' raised {type(error).__name__}: {error}"
        raise RecipeError("objective", [Problem(where, what)]) from error
    if not isinstance(value, Tensor) or value.ndim:
        shown = f"a tensor of shape {list(value.shape)}" if isinstance(value, Tensor) else f"{value!r}"
        what = f"'{term.loss.name}' gave {shown}; a loss returns a scalar tensor"
        raise RecipeError("objective", [Problem(where, what)])
    return value


def _valid(signal: Tensor) -> int:
    """Return how many rows say something: a negative integer masks its row, and so does a row of nothing but NaN."""
    if signal.is_floating_point():
        return int((~signal.isnan()).reshape(len(signal), math.prod(signal.shape[1:])).any(dim=1).sum())
    return int((signal >= 0).sum())
