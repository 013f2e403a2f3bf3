"""Kill -9 of a grid with two workers: they end too, and the same command ends where nothing had happened."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skinframe.errors import BusyError
from skinframe.locks import exclusive
from skinframe.reporting.grid_report import GridReport
from skinframe.reporting.json_codec import loads


def wait(until: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 300
    while not until():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def free(folder: Path) -> bool:
    try:
        with exclusive(folder, ".lock", wait=False):
            return True
    except BusyError:
        return False


@pytest.mark.long
def test_killed_between_two_runs_and_in_one(
    warm: Any, words: Callable[..., list[str]], made: Any, tmp_path: Path
) -> None:
    def runs() -> list[Path]:
        return [path.parent for path in tmp_path.glob("small-*/plan.yaml")]

    def done() -> list[Path]:
        return [folder for folder in runs() if (folder / "files.json").is_file()]

    def at_work() -> list[Path]:
        return [folder for folder in runs() if (folder / "log.jsonl").is_file() and folder not in done()]

    pid, log = warm.start(words(tmp_path, "--workers", "2"))
    wait(lambda: bool(done() and at_work()), "no run was done while another was made")
    os.kill(pid, signal.SIGKILL)
    assert warm.wait(pid) == -signal.SIGKILL, log.read_text()
    wait(lambda: all(map(free, runs())), "a worker outlived its grid")
    kept = {path: path.stat().st_mtime_ns for folder in done() for path in folder.rglob("*") if path.name != ".lock"}
    assert 0 < len(done()) < 4
    code, said = warm.run(words(tmp_path))
    assert code == 0, said
    assert f"{len({path.parent for path in kept if path.name == 'files.json'})} done" in said
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    report = loads(GridReport, (tmp_path / made.folder.name / "grid.json").read_text(encoding="utf-8"))
    assert (report.figures, report.differences) == (made.report.figures, made.report.differences)
