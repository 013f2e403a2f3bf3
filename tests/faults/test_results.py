"""The table of results: a run that is cut short says what it did and what it did not do."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CASES = """
import os
import signal
import pytest

@pytest.mark.parametrize("number", [1, 2])
def test_good(number): pass

def test_bad(): assert False

@pytest.mark.skipif(True, reason="never")
def test_skipped(): pass

def test_deadly(): os.kill(os.getpid(), signal.SIGKILL)

def test_later(): pass
"""


def called(command: list[str], record: Path, folder: Path) -> int:
    environment = {**os.environ, "SKINFRAME_TEST_RESULTS": str(record), "PYTHONPATH": str(HERE)}
    return subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment, capture_output=True, check=False
    ).returncode


def test_a_run_that_is_killed_says_what_it_did_and_what_was_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "test_these.py").write_text(CASES)
    record = tmp_path / "record.jsonl"
    assert called(["-m", "pytest", "-q", "-p", "record", "test_these.py"], record, tmp_path) < 0
    with record.open("a") as file:
        file.write('{"case": "test_these.py::test_la')  # as a kill in the middle of a write leaves it
    monkeypatch.syspath_prepend(str(HERE))
    page = runpy.run_path(str(HERE / "results.py"))["document"](record, "a machine")
    for test, counts in {
        "good": "2 | 0 | 0 | 0", "bad": "0 | 1 | 0 | 0", "skipped": "0 | 0 | 1 | 0",
        "deadly": "0 | 0 | 0 | 1", "later": "0 | 0 | 0 | 1",
    }.items():  # fmt: skip
        assert f"`test_these.py::test_{test}` | {counts} |" in page
    assert "6 cases: 2 passed, 1 failed, 1 skipped, 2 not run." in page
    assert "No reader was given hostile bytes in this run." in page


def test_the_fuzzer_writes_its_own_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = tmp_path / "record.jsonl"
    assert called([str(HERE / "fuzz.py"), "--target", "manifest", "--seconds", "1"], record, tmp_path) == 0
    (line,) = map(json.loads, record.read_text().splitlines())
    assert line["inputs"] >= line["refused"] > 0
    assert line["findings"] == 0
    monkeypatch.syspath_prepend(str(HERE))
    page = runpy.run_path(str(HERE / "results.py"))["document"](record, "a machine")
    row = " | ".join(str(line[name]) for name in ("seconds", "inputs", "refused", "findings", "commit"))
    assert f"| manifest | {row} |" in page
