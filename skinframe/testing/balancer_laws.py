"""The laws of a balancer. Each takes a balancer and a drawn history of steps, and asserts."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from hypothesis import strategies as st

from skinframe.components import Balancer
from skinframe.testing.law_and_check import Law, Suite

Step = tuple[dict[str, float], dict[str, float]]
TERMS = ("one", "two", "three")


@dataclass(frozen=True)
class History:
    """What each step of a training tells a balancer: raw values of the terms and norms of their gradients."""

    steps: list[Step]


def histories() -> st.SearchStrategy[History]:
    """Draw two to six steps of three terms, with values from 1e-3 to 1e3."""
    numbers = st.fixed_dictionaries({name: st.floats(1e-3, 1e3) for name in TERMS})
    return st.builds(History, st.lists(st.tuples(numbers, numbers), min_size=2, max_size=6))


def positive(balancer: Balancer, history: History) -> None:
    """Every factor is finite and above 0, at every step."""
    own = fresh(balancer)
    for step in history.steps:
        _good(own.factors(TERMS))
        own.learn(*copy.deepcopy(step))
    _good(own.factors(TERMS))


def solved(balancer: Balancer, history: History) -> None:
    """A term that is 0, with no gradient, gives no factor that is not finite and above 0."""
    own = fresh(balancer)
    for values, norms in history.steps:
        own.learn({**values, "one": 0.0}, {**norms, "one": 0.0})
        _good(own.factors(TERMS))


def deterministic(balancer: Balancer, history: History) -> None:
    """The same history gives the same bits."""
    first, two = (_after(balancer, history.steps).factors(TERMS) for _ in range(2))
    assert first == two, f"first {first}, then {two}"


def term_order(balancer: Balancer, history: History) -> None:
    """The factors do not depend on the order in which the terms are named."""
    turned = [(dict(reversed(values.items())), dict(reversed(norms.items()))) for values, norms in history.steps[:1]]
    first = _after(balancer, history.steps[:1]).factors(TERMS)
    two = _after(balancer, turned).factors(TERMS[::-1])
    assert first.keys() == two.keys()
    assert all(math.isclose(first[name], two[name], rel_tol=1e-6) for name in first), f"{first} and {two}"


def absent(balancer: Balancer, history: History) -> None:
    """A term that a step does not tell of keeps its factor."""
    own = _after(balancer, history.steps[:1])
    before = own.factors(TERMS)
    for values, norms in history.steps[1:]:
        own.learn(*({name: each[name] for name in TERMS[:2]} for each in (values, norms)))
    assert own.factors(TERMS).get("three") == before.get("three")


def pure(balancer: Balancer, history: History) -> None:
    """Inputs are not modified, and asking for factors changes no state."""
    own = fresh(balancer)
    arguments = copy.deepcopy(history.steps)
    for step in arguments:
        own.learn(*step)
        first = own.factors(TERMS)
        assert own.factors(TERMS) == first, "a second question got another answer"
    assert arguments == history.steps, "learn changed what it was told"


def resume(balancer: Balancer, history: History) -> None:
    """A fresh balancer restored from `state` continues with the same bits."""
    first, second = _after(balancer, history.steps[:1]), fresh(balancer)
    second.load_state({name: tensor.clone() for name, tensor in first.state().items()})
    assert all(isinstance(tensor, torch.Tensor) for tensor in first.state().values())
    for step in history.steps[1:]:
        first.learn(*step)
        second.learn(*step)
    assert first.factors(TERMS) == second.factors(TERMS), "state() does not hold it all"


LAWS = (positive, solved, deterministic, term_order, absent, pure, resume)
BALANCER = Suite("balancer", tuple(map(Law, LAWS)), lambda balancer, law: histories(), examples=15)


def fresh(balancer: Balancer) -> Balancer:
    """Return a balancer of the same class and options that has learnt nothing."""
    return type(balancer)(balancer.config)


def _after(balancer: Balancer, steps: Sequence[Step]) -> Balancer:
    own = fresh(balancer)
    for step in steps:
        own.learn(*copy.deepcopy(step))
    return own


def _good(factors: dict[str, float]) -> None:
    bad = {name: factor for name, factor in factors.items() if not (math.isfinite(factor) and factor > 0)}
    assert not bad, f"factors {bad}"
