"""The self-test finds what is planted, and fails where nothing is planted or the clean twin is not clean."""

from __future__ import annotations

import pytest

import skinframe
from skinframe.running import selftest_trials as module
from skinframe.running.selftest_trials import SelfTest, Trial, audits


@pytest.mark.long
def test_every_planted_fault_is_found_and_no_other():
    found = skinframe.selftest()
    assert found.ok, str(found)
    assert [trial.fault for trial in found.trials] == ["leaking column", "split duplicates", "shortcut"]
    assert "self-test passed" in str(found)


def test_a_fault_that_is_not_planted_is_not_found(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "PLANTED", ())
    column, copies = audits(tmp_path)
    assert not column.found
    assert not copies.found
    assert "NOT FOUND" in str(column)


def test_a_shortcut_where_there_should_be_none_fails(tmp_path, monkeypatch):
    answers = {"telling": (0.4, 0.3, 0.5), "random": (0.3, 0.1, 0.5)}
    monkeypatch.setattr(module, "rise", lambda folder, marks: answers[marks])
    trial = module.shortcut(tmp_path)
    assert trial.found
    assert not trial.ok
    assert "FALSE ALARM" in str(trial)


def test_the_command_exits_1_and_says_not_to_trust_a_report(monkeypatch, capsys):
    from skinframe.cli import main

    failed = SelfTest((Trial("shortcut", False, True, "0.01 against 0.01"),), 3.0)
    monkeypatch.setattr(module, "selftest", lambda tell=None: failed)
    with pytest.raises(SystemExit) as end:
        main(["selftest"])
    assert end.value.code == 1
    assert "do not trust reports of this machine" in capsys.readouterr().out
