"""The kit is itself tested: every check catches the component that is wrong in its way, and passes the right one."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
import wrong_encoders
import wrong_losses

from skinframe.testing import encoder_contract, loss_contract
from skinframe.testing.contract import LOSS_LAWS, encoder_checks, loss_checks


def check_named(checks, name):
    return replace(next(check for check in checks if check.name == name), shrink=False)


@loss_contract(wrong_losses.Right())
def test_right_loss_passes(loss, check):
    check(loss)


@encoder_contract(wrong_encoders.RightEncoder())
def test_right_encoder_passes(encoder, check):
    check(encoder)


@pytest.mark.parametrize("name", wrong_losses.WRONG)
def test_check_catches_its_wrong_loss(name):
    loss = wrong_losses.WRONG[name]
    with pytest.raises(AssertionError):
        check_named(loss_checks(loss), name)(loss)


@pytest.mark.parametrize("name", wrong_encoders.WRONG)
def test_check_catches_its_wrong_encoder(name):
    encoder = wrong_encoders.WRONG[name]
    with pytest.raises(AssertionError):
        check_named(encoder_checks(encoder), name)(encoder)


def test_every_check_has_a_wrong_component():
    assert set(wrong_losses.WRONG) == {each.law.__name__ for each in LOSS_LAWS}
    assert set(wrong_encoders.WRONG) == {check.name for check in encoder_checks(wrong_encoders.RightEncoder())}


def test_terms_must_be_countable():
    with pytest.raises(AssertionError, match="no signal of forward has the dim T"):
        loss_checks(wrong_losses.CountsAbsentSignal())
    with pytest.raises(AssertionError, match="normalise_by is 'logits', not one of labels"):
        loss_checks(wrong_losses.CountsModelSignal())


def test_unknown_expected_failure_is_refused():
    with pytest.raises(ValueError, match="xfail names shfit"):
        loss_contract(wrong_losses.Right(), xfail={"shfit": "a typing error"})


def test_expected_failure_is_strict_and_carries_its_reason():
    mark = loss_contract(wrong_losses.NaNWhenEmpty(), xfail={"all_masked": "torch's mean over nothing is NaN"})
    row = next(row for row in mark.args[1] if row.values[1].name == "all_masked")
    assert row.id == "right-all_masked"
    assert row.marks[0].kwargs == {"reason": "torch's mean over nothing is NaN", "strict": True}


def test_the_engine_does_not_import_the_kit():
    code = "import skinframe, sys; assert not {'pytest', 'hypothesis', 'skinframe.testing'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
