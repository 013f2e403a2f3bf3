"""The weight of a loss over time."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skinframe.errors import RecipeError
from skinframe.planning.schedule import Schedule, is_zero, schedule_of

numbers = st.floats(-10, 10)


@settings(deadline=None, derandomize=True)
@given(numbers, numbers, st.floats(0.1, 20), st.sampled_from(["linear", "cosine"]))
def test_a_ramp_starts_ends_and_never_turns(start: float, to: float, epochs: float, shape: str) -> None:
    ramp = Schedule(to=to, start=start, epochs=epochs, shape=shape)  # type: ignore[arg-type]
    values = [ramp.at(epochs * i / 20) for i in range(25)]
    assert values[0] == pytest.approx(start, abs=1e-9)
    assert values[20:] == pytest.approx([to] * 5, abs=1e-9)
    sign = 1 if to >= start else -1
    assert all(sign * (b - a) >= -1e-9 for a, b in pairwise(values))


def test_half_way() -> None:
    assert Schedule(to=1.0, epochs=2).at(1) == 0.5
    assert Schedule(to=1.0, epochs=2, shape="cosine").at(0.5) == pytest.approx(0.1464, abs=1e-4)
    assert Schedule(to=1.0, epochs=0).at(0) == 1.0


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


def test_zero_is_a_number() -> None:
    assert is_zero(0)
    assert is_zero(0.0)
    assert not is_zero(False)
    assert not is_zero({"to": 0})
