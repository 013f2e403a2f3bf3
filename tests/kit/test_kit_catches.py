"""The kit is itself tested: every check catches the component that is wrong in its way, and passes the right one."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace

import pytest
import wrong_balancers
import wrong_calibrators
import wrong_columns
import wrong_datasets
import wrong_encoders
import wrong_explainers
import wrong_heads
import wrong_losses
import wrong_metrics
import wrong_prompts
import wrong_reasoners
import wrong_report_sections
import wrong_trackers
import wrong_verbs
from skinframe_cfa.alignment.siglip import SigLIP

from skinframe.components import KINDS
from skinframe.testing import encoder_contract, loss_contract
from skinframe.testing.contract_decorators import contract, suites
from skinframe.testing.loss_case import optional_inputs
from skinframe.testing.loss_suite import loss_suite

SUITES = suites()
ROOMS = {
    "loss": wrong_losses,
    "encoder": wrong_encoders,
    "reasoner": wrong_reasoners,
    "head": wrong_heads,
    "dataset": wrong_datasets,
    "prompt": wrong_prompts,
    "balancer": wrong_balancers,
    "metric": wrong_metrics,
    "calibrator": wrong_calibrators,
    "explainer": wrong_explainers,
    "column": wrong_columns,
    "verb": wrong_verbs,
    "report_section": wrong_report_sections,
    "tracker": wrong_trackers,
}
WRONG = [(kind, name) for kind, room in ROOMS.items() for name in room.WRONG]
RIGHT = [
    pytest.param(component, check, id=f"{kind}-{type(component).__name__}-{check.name}")
    for kind, room in ROOMS.items()
    for component in room.RIGHT
    for check in SUITES[kind].checks(component)
]


@pytest.mark.parametrize(("component", "check"), RIGHT)
def test_right_component_passes(component, check):
    check(component)


@pytest.mark.parametrize(("kind", "name"), WRONG)
def test_check_catches_its_wrong_component(kind, name):
    component = ROOMS[kind].WRONG[name]
    check = next(check for check in SUITES[kind].checks(component) if check.name == name)
    with pytest.raises(AssertionError):
        replace(check, shrink=False)(component)


@pytest.mark.parametrize(("kind", "name"), WRONG)
def test_a_wrong_component_is_wrong_in_that_way_only(kind, name):
    """Two examples of each other check: a component that fails them all would prove nothing of its own check."""
    component, also = ROOMS[kind].WRONG[name], getattr(ROOMS[kind], "ALSO", {}).get(name, set())
    failed = set()
    for check in replace(SUITES[kind], examples=2).checks(component):
        try:
            replace(check, shrink=False)(component)
        except Exception:
            failed.add(check.name)
    assert failed - {name} <= also


@pytest.mark.parametrize("kind", KINDS)
def test_every_check_has_a_wrong_component(kind):
    assert set(ROOMS[kind].WRONG) == {law.name for law in SUITES[kind].laws}
    assert all(law.says for law in SUITES[kind].laws)


def test_every_law_of_a_loss_that_can_be_seen_from_outside_has_a_check():
    numbers = {law.number for law in SUITES["loss"].laws} - {""}
    assert numbers == {"I1", "I2", "I3", "I4", "I5", "I6", "I8", "I10", "I12"}


def test_terms_must_be_countable():
    loss = wrong_losses.CountsAbsentSignal()
    with pytest.raises(AssertionError, match="no signal of forward has the dim T"):
        loss_contract(loss)
    with pytest.raises(AssertionError, match="normalise_by is 'logits', not one of labels"):
        loss_contract(wrong_losses.CountsModelSignal())


OPTIONAL = {
    "masked_nan": wrong_losses.SpoiltWithoutItsWeights,
    "scalar": wrong_losses.UnreducedWithoutItsWeights,
    "finite": wrong_losses.CrashesWithoutItsWeights,
}


@pytest.mark.parametrize("name", OPTIONAL)
def test_a_loss_that_is_wrong_only_without_its_optional_signal_is_caught(name):
    check = next(check for check in SUITES["loss"].checks(OPTIONAL[name]()) if check.name == name)
    with pytest.raises((AssertionError, TypeError)) as caught:
        check(OPTIONAL[name]())
    assert "kit_weights left out" in "".join(caught.value.__notes__)


@pytest.mark.parametrize("loss", [wrong_losses.Weighted(), wrong_losses.NeedsItsWeights()])
@pytest.mark.parametrize("name", ["scalar", "additive", "all_masked"])
def test_a_loss_may_be_right_without_its_optional_signal_or_refuse_by_name_to_do_without(loss, name):
    next(check for check in SUITES["loss"].checks(loss) if check.name == name)(loss)


def test_every_optional_signal_is_left_out_alone_and_with_the_others():
    law = next(law for law in SUITES["loss"].laws if law.name == "scalar")
    assert [len(SUITES["loss"].more(each, law)) for each in (SigLIP(), wrong_losses.Weighted())] == [3, 1]
    assert optional_inputs(SigLIP()) == ["site_ids", "logit_bias"]
    assert optional_inputs(wrong_losses.Right()) == []


def test_unknown_expected_failure_is_refused():
    with pytest.raises(ValueError, match="xfail names shfit"):
        loss_contract(wrong_losses.Right(), xfail={"shfit": "a typing error"})
    wrong = type("Wrong", (wrong_encoders.RightEncoder,), {"breaks": {"alnoe": "a typing error"}})
    with pytest.raises(ValueError, match="breaks names alnoe"):
        encoder_contract(wrong())


@pytest.mark.parametrize("how", ["xfail", "breaks"])
def test_expected_failure_is_strict_and_carries_its_reason(how):
    reasons = {"all_masked": "torch's mean over nothing is NaN"}
    kind = wrong_losses.NaNWhenEmpty
    loss = type("Declared", (kind,), {"breaks": reasons})() if how == "breaks" else kind()
    mark = loss_contract(loss, xfail=reasons if how == "xfail" else None)
    row = next(row for row in mark.args[1] if row.values[1].name == "all_masked")
    assert row.id == "right-all_masked"
    assert row.marks[0].kwargs == {"reason": reasons["all_masked"], "strict": True}


def test_without_a_component_there_is_one_row_a_check():
    mark = contract(SUITES["dataset"], [], {"masks": "has none"})
    assert mark.args[0] == "check"
    assert [row.id for row in mark.args[1]] == [law.name for law in SUITES["dataset"].laws]
    assert [row.id for row in mark.args[1] if row.marks] == ["masks"]


def test_a_failing_example_is_shown_in_words():
    check = next(check for check in loss_suite().checks(wrong_losses.RawScores()) if check.name == "shift")
    with pytest.raises(AssertionError, match="after adding a constant to each row") as found:
        check(wrong_losses.RawScores())
    shown = re.compile(r"counter-example: one call, seed \d+\n  logits \[B C\] = ")
    assert any(shown.match(note) for note in found.value.__notes__)


def test_the_engine_does_not_import_the_kit():
    code = "import skinframe, sys; assert not {'pytest', 'hypothesis', 'skinframe.testing'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
