from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest

from skinframe.errors import DataError, DiskError
from skinframe.reporting import report_files
from skinframe.reporting.report_files import read_report, write_report
from skinframe.reporting.report_schema import Report


def test_writes_two_files_that_read_back(report: Report, tmp_path: Path) -> None:
    json_path, html_path = write_report(report, tmp_path / "run")
    assert sorted(one.name for one in (tmp_path / "run").iterdir()) == ["report.html", "report.json"]
    assert read_report(json_path) == read_report(tmp_path / "run") == report
    assert html_path.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert html_path.stat().st_size < 1_000_000


def test_the_same_report_gives_the_same_bytes(report: Report, tmp_path: Path) -> None:
    first, second = write_report(report, tmp_path / "a"), write_report(report, tmp_path / "b")
    assert [one.read_bytes() for one in first] == [one.read_bytes() for one in second]


def test_an_odd_id_does_not_stop_the_page(least: Report, tmp_path: Path) -> None:
    odd = dataclasses.replace(least, notes=("lone \ud800",))
    write_report(odd, tmp_path)
    assert read_report(tmp_path) == odd


def test_a_full_disk_keeps_the_old_report(least: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_report(least, tmp_path)
    before = {one.name: one.read_bytes() for one in tmp_path.iterdir()}

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskError, match="no space left"):
        write_report(least, tmp_path)
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == before


def test_a_missing_report_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"report\.json: no such file; name a finished run"):
        read_report(tmp_path)


def test_importing_the_room_is_light() -> None:
    heavy = "{'torch', 'jinja2', 'PIL', 'transformers', 'sklearn'}"
    others = "skinframe.reporting.run_comparison, skinframe.reporting.terminal_text, skinframe.reporting.page"
    modules = f"{report_files.__name__}, {others}"
    code = f"import sys, {modules}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
