"""Axes to arms, and what is asked of them."""

from __future__ import annotations

from itertools import pairwise

import pytest

from skinframe.grid.ablation_arms import add_one, factorial, fractions, leave_one_out, short, switch_of, values
from skinframe.grid.ablation_sweep_curve import listed
from skinframe.grid.contrasts import against, is_factorial, main_effects
from skinframe.grid.run_request import Request, RunItem, item_of

BASE = Request(recipe="r.yaml", presets=("p",), overrides=("a=1",), plugins=("x.py",))
PARTS = [switch_of(text) for text in ("losses.focal.config.gamma=0", "losses.alignment", "losses.calibration")]


def test_leave_one_out_and_add_one() -> None:
    assert [arm.name for arm in leave_one_out(BASE, PARTS)] == [
        "whole", "without focal gamma", "without alignment", "without calibration",
    ]  # fmt: skip
    assert [arm.name for arm in add_one(BASE, PARTS)] == [
        "none of them", "focal gamma alone", "alignment alone", "calibration alone", "whole",
    ]  # fmt: skip
    without = leave_one_out(BASE, PARTS)[2].request
    assert without.overrides == ("a=1", "losses.alignment.enabled=false")
    assert leave_one_out(BASE, PARTS)[1].request.overrides[-1] == "losses.focal.config.gamma=0"


def test_one_part_makes_two_arms() -> None:
    (part,) = PARTS[1:2]
    assert [arm.name for arm in leave_one_out(BASE, [part])] == ["whole", "without alignment"]
    assert [arm.name for arm in add_one(BASE, [part])] == ["without alignment", "whole"]


def test_all_combinations_once() -> None:
    arms = factorial(BASE, PARTS)
    assert len(arms) == len({frozenset(arm.on) for arm in arms}) == 8
    assert len({arm.name for arm in arms}) == 8
    assert arms[0].name == "whole"
    assert is_factorial(arms)
    assert not is_factorial(leave_one_out(BASE, PARTS))


def test_a_main_effect_is_the_mean_with_minus_the_mean_without() -> None:
    arms = factorial(BASE, PARTS)
    # an additive truth with one interaction, which averages out of no main effect but its own
    worth = {arm.name: 3.0 * ("losses.alignment" in arm.on) - ("losses.calibration" in arm.on) for arm in arms}
    effects = {one.first: one for one in main_effects(arms, [part.name for part in PARTS])}
    for one in effects.values():
        assert sum(one.coefficients.values()) == pytest.approx(0)
    found = {name: sum(c * worth[arm] for arm, c in one.coefficients.items()) for name, one in effects.items()}
    assert found == pytest.approx({"with focal gamma": 0.0, "with alignment": 3.0, "with calibration": -1.0})


def test_every_other_arm_is_compared_with_the_reference() -> None:
    found = against(leave_one_out(BASE, PARTS), "whole")
    assert [one.second for one in found] == ["without focal gamma", "without alignment", "without calibration"]
    assert all(one.coefficients["whole"] == 1.0 for one in found)


def test_values_and_fractions() -> None:
    arms = values(BASE, "losses.calibration.weight.to", ["0", "0.1", "cosine"])
    assert [arm.at for arm in arms] == [0.0, 0.1, None]
    assert arms[1].request.overrides[-1] == "losses.calibration.weight.to=0.1"
    shares = [arm.at for arm in fractions(BASE, [0.12, 1.0, 0.5])]
    assert all(a > b for a, b in pairwise(shares))  # type: ignore[operator]
    assert short("losses.calibration.weight.to") == "calibration weight to"
    assert short("seed") == "seed"


@pytest.mark.parametrize(
    ("text", "found"),
    [("0,1", ["0", "1"]), ("[1,2],[3]", ["[1,2]", "[3]"]), ("{a: 1, b: 2},3", ["{a: 1, b: 2}", "3"]), ("", [])],
)
def test_commas_in_brackets_do_not_split(text: str, found: list[str]) -> None:
    assert listed(text) == found


def test_an_item_survives_the_journey_to_another_process() -> None:
    item = RunItem(arm="whole", seed=3, request=BASE, name="r-1", out="runs", cache="c")
    assert item_of(item.to_json()) == item
