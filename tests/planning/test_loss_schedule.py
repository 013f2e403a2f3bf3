"""The weight of a loss over time."""

from __future__ import annotations

import json
import math
import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import skinframe
from skinframe.errors import RecipeError
from skinframe.planning.loss_schedule import Schedule, schedule_of

numbers = st.floats(0, 10)


ramps = st.builds(
    Schedule,
    to=numbers,
    start=numbers,
    epochs=st.just(0.0) | st.floats(1e-300, 20),
    delay=st.just(0.0) | st.floats(0, 20),
    shape=st.sampled_from(["linear", "cosine"]),
)


@settings(deadline=None, derandomize=True)
@given(ramps)
def test_a_ramp_starts_ends_and_never_turns(ramp: Schedule) -> None:
    """The ends exactly: a weight that is 0 by the recipe must be 0, or its term is evaluated."""
    end = ramp.delay + ramp.epochs
    moments = sorted({0.0, ramp.delay, *(ramp.delay + ramp.epochs * i / 20 for i in range(21)), end * 2 + 1})
    values = [ramp.at(moment) for moment in moments]
    assert all(math.isfinite(value) for value in values)
    assert values[0] == (ramp.start if end > 0 else ramp.to)
    assert values[-1] == ramp.to
    assert all(ramp.at(moment) == ramp.start for moment in moments if moment < ramp.delay)
    sign = 1 if ramp.to >= ramp.start else -1
    assert all(sign * b >= sign * a for a, b in pairwise(values))


@settings(deadline=None, derandomize=True)
@given(ramps, st.floats(0, 50))
def test_what_is_never_on_is_0_at_every_step(ramp: Schedule, epoch: float) -> None:
    assert not ramp.never or ramp.at(epoch) == 0
    ends = {ramp.at(0), ramp.at(ramp.delay), ramp.to}
    assert ramp.never == (ends == {0.0})


def test_half_way() -> None:
    assert Schedule(to=1.0, epochs=2).at(1) == 0.5
    assert Schedule(to=1.0, epochs=2, shape="cosine").at(0.5) == pytest.approx(0.1464, abs=1e-4)
    assert Schedule(to=1.0, epochs=0).at(0) == 1.0
    late = Schedule(to=1.0, delay=2, epochs=1)
    assert [late.at(epoch) for epoch in (0, 1.9, 2, 2.5, 3, 9)] == [0, 0, 0, 0.5, 1, 1]
    jump = Schedule(to=0.0, start=0.5, delay=2, epochs=0)
    assert [jump.at(epoch) for epoch in (0, 1.99, 2, 3)] == [0.5, 0.5, 0, 0]


@settings(deadline=None, derandomize=True)
@given(numbers, st.floats(0, 100))
def test_a_number_is_constant(weight: float, epoch: float) -> None:
    assert schedule_of(weight, "here").at(epoch) == weight


@pytest.mark.parametrize(
    "weight", [float("nan"), float("inf"), {"to": 1, "epochs": -1}, {"to": "x"}, {}, "a", None, True]
)
def test_what_is_no_weight_is_refused(weight: object) -> None:
    with pytest.raises(RecipeError, match="a weight is a number or a schedule such as"):
        schedule_of(weight, "losses.focal.weight")


@pytest.mark.parametrize("weight", [0, 0.0, {"to": 0}, {"to": 0, "start": 0.5, "epochs": 0}, {"to": 0, "delay": 3}])
def test_a_weight_that_stays_0_leaves_the_term_out(small: Any, weight: Any) -> None:
    plan = skinframe.plan(small.recipe, overrides=[*small.overrides, f"losses.alignment.weight={json.dumps(weight)}"])
    off = skinframe.plan(small.recipe, overrides=small.overrides, without=["losses.alignment"])
    assert "losses.alignment (weight 0)" in map(str, plan.graph.dropped)
    assert plan.fingerprint == off.fingerprint


@pytest.mark.parametrize(
    ("weight", "told"),
    [
        ({"to": 1, "epoch": 2}, "weight.epoch: no such key; did you mean 'epochs'?"),
        ({"to": 1, "shape": "cosin"}, "expected one of ['linear', 'cosine']"),
        ({"to": 1, "delay": -1}, "epochs and delay must be finite and not below 0"),
    ],
)
def test_a_slip_in_a_schedule_is_named(weight: Any, told: str) -> None:
    with pytest.raises(RecipeError, match=re.escape(told)):
        schedule_of(weight, "losses.focal.weight")
