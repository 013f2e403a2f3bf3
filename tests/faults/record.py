"""What came of each case, a JSON line at a time, so that a run that is cut short has lost nothing.

A pytest plugin (`results.py` names it): a line for what is planned, then one a case. `fuzz.py` adds a line a reader.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLACE = "SKINFRAME_TEST_RESULTS"
TABLE = "docs/guarantees_results.md"  # where tox has it written


@cache
def commit() -> str:
    """Name the commit, and whether a file differs from it; the table that is being written is none of them."""
    name = _git("rev-parse", "--short", "HEAD")
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", f":(exclude){TABLE}")
    return f"{name or 'unknown'}{'-dirty' if changed else ''}"


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


def append(place: Path, line: dict[str, Any]) -> None:
    """Add a line, in one write."""
    handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(handle, (json.dumps({**line, "commit": commit()}) + "\n").encode())
    finally:
        os.close(handle)


def lines(place: Path) -> Iterator[dict[str, Any]]:
    """Read what `append` wrote; a last line that was cut is none."""
    for text in place.read_text(encoding="utf-8").splitlines() if place.is_file() else ():
        try:
            yield json.loads(text)
        except ValueError:
            continue


class Recorder:
    """Writes a case's line when it is over: passed, failed or skipped, and the seconds it took."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        append(self.place, {"planned": [item.nodeid for item in session.items]})

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.outcome != "passed":  # a setup that fails or skips has no call
            append(self.place, {"case": report.nodeid, "state": report.outcome, "seconds": round(report.duration, 2)})


def pytest_configure(config: pytest.Config) -> None:
    if PLACE in os.environ:
        config.pluginmanager.register(Recorder(Path(os.environ[PLACE])))
