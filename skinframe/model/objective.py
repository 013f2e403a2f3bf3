"""The objective: named terms, their weights over time, and a total that is right under gradient accumulation."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import torch
from torch import Tensor

from skinframe.components import Balancer, Component, Loss
from skinframe.errors import DataError, NonFiniteError, Problem, RecipeError
from skinframe.planning import Plan
from skinframe.planning.address import column
from skinframe.planning.loss_schedule import Schedule
from skinframe.signals import needs

C = TypeVar("C", bound=Component)


@dataclass(frozen=True)
class Term:
    """One loss with its weight and the full names of the signals that feed it."""

    name: str
    loss: Loss
    schedule: Schedule
    feeds: Mapping[str, str]

    @cached_property
    def dims(self) -> dict[str, str]:
        """The declared dims of each signal that feeds it, by full name."""
        inputs = needs(self.loss.forward)
        return {self.feeds[need.parameter]: need.signal.dims for need in inputs if need.parameter in self.feeds}

    @property
    def stateful(self) -> bool:
        """Whether it keeps rows of the steps that it has seen."""
        return type(self.loss).commit is not Loss.commit


class Objective:
    """Evaluates the terms. A term whose weight is 0 at a step is not evaluated there: 0 · NaN is NaN.

    Terms and balancer are instances of its own, as new: a plan holds no training state, and two objectives share none.
    """

    def __init__(self, plan: Plan) -> None:
        self.terms = tuple(
            Term(name, _fresh(plan.parts.losses[name]), plan.schedules[name], feeds)
            for name, feeds in plan.graph.terms.items()
        )
        self.balancer: Balancer = _fresh(plan.parts.balancer)

    def weights(self, epoch: float) -> dict[str, float]:
        """Return what multiplies each term: its schedule's weight, times the balancer's factor if it gives one."""
        factors = self.factors()
        planned = {term.name: term.schedule.at(epoch) for term in self.terms}
        return {name: weight * factors[name] if name in factors else weight for name, weight in planned.items()}

    def factors(self) -> dict[str, float]:
        """Return the balancer's factors. Raises NonFiniteError naming a term."""
        factors = self.balancer.factors([term.name for term in self.terms])
        for name, factor in factors.items():
            if not math.isfinite(factor):
                raise NonFiniteError(f"balancer: the factor of losses.{name} is {factor}; leave the balancer out")
        return factors

    def remembered(self, evaluated: Collection[str]) -> dict[str, str]:
        """Return the full name and dims of each signal that `commit` needs, where these terms are evaluated."""
        terms = [term for term in self.terms if term.stateful and term.name in evaluated]
        return {full: dims for term in terms for full, dims in term.dims.items()}

    def commit(self, rows: Mapping[str, Tensor], values: Mapping[str, float], norms: Mapping[str, float]) -> None:
        """Take a finished step into the state of terms and balancer; nothing else changes either.

        `rows` are the signals that stateful terms read, over all samples of the step; `values` the raw value of each
        evaluated term; `norms` of their gradients. Raises RecipeError where a term does not fit the balancer's method.
        """
        with torch.no_grad():
            for term in self.terms:
                if term.stateful and term.name in values:
                    with _named(term):
                        term.loss.commit(**{role: rows[full] for role, full in term.feeds.items()})
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
        floors = {}
        for term in self.terms:
            floor = getattr(term.loss, "floor", None)
            value = floor() if callable(floor) else None
            if value is not None:
                floors[term.name] = float(value)
        return floors

    def notes(self) -> dict[str, dict[str, float]]:
        """Return what the terms note about their last values, such as a scale and whether it is at its clamp."""
        return {term.name: term.loss.notes() for term in self.terms}

    def state(self) -> dict[str, Tensor]:
        """Return what the terms keep, by term and name; the balancer's state is its own."""
        return {f"{term.name}.{key}": value for term in self.terms for key, value in term.loss.state().items()}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state` returned."""
        for term in self.terms:
            prefix = f"{term.name}."
            term.loss.load_state({k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)})


def _fresh(component: C) -> C:
    """Return a component of the same class and options, as it was before it saw any data."""
    made: C = type(component)(component.config)
    return made


@contextmanager
def _named(term: Term) -> Iterator[None]:
    """Report a plugin's mistake under its term; `--debug` shows where it is."""
    where = f"losses.{term.name}"
    try:
        yield
    except ValueError as error:
        raise DataError(f"{where}: {error}") from error
    except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError) as error:
        what = f"'{term.loss.name}' raised {type(error).__name__}: {error}"
        raise RecipeError("objective", [Problem(where, what)]) from error


def _value(term: Term, signals: Mapping[str, Tensor]) -> Tensor:
    """Return one term. Raises RecipeError where it is no scalar tensor."""
    with _named(term):
        value: object = term.loss.forward(**{role: signals[full] for role, full in term.feeds.items()})
    if not isinstance(value, Tensor) or value.ndim:
        shown = f"a tensor of shape {list(value.shape)}" if isinstance(value, Tensor) else f"{value!r}"
        what = f"'{term.loss.name}' gave {shown}; a loss returns a scalar tensor"
        raise RecipeError("objective", [Problem(f"losses.{term.name}", what)])
    return value


def _valid(signal: Tensor) -> int:
    """Return how many rows say something: a negative integer masks its row, and so does a row of nothing but NaN."""
    if signal.is_floating_point():
        return int((~signal.isnan()).reshape(len(signal), math.prod(signal.shape[1:])).any(dim=1).sum())
    return int((signal >= 0).sum())
