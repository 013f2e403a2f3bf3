"""Run the tests that docs/guarantees.md names, and the long part, and write what came of each beside commit and date.

`python tests/faults/results.py --out results.md`; what pytest is given after `--` is passed on. A suite that is run
in parts keeps each part's report (`--report FILE`), and a later part reads those before it (`--with FILE`); where a
case stands in several, the last one counts.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def named() -> list[tuple[str, str]]:
    """Return promise and test of each row of the guarantees."""
    text = (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")
    return re.findall(r"^\| ([^|]+) \|.*`((?:tests|plugins)/[^`]+)` \|$", text, re.MULTILINE)


def outcomes(reports: Sequence[Path]) -> dict[str, Counter[str]]:
    """Return passed, failed and skipped cases by file and test, parameters taken together."""
    cases: dict[tuple[str, str], str] = {}
    for report in reports:
        for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314
            kinds = {child.tag for child in case}
            state = "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
            cases[case.get("classname", ""), case.get("name", "")] = state
    found: dict[str, Counter[str]] = {}
    for (place, name), state in cases.items():
        test = f"{place.replace('.', '/')}.py::{name.partition('[')[0]}"
        found.setdefault(test, Counter())[state] += 1
    return found


def machine() -> str:
    """Return what the results were got on."""
    import torch

    return (
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, torch {torch.__version__}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("results.md"))
    parser.add_argument("--report", type=Path, help="keep the JUnit report here")
    parser.add_argument("--with", type=Path, action="append", default=[], dest="parts", help="an earlier part's report")
    parser.add_argument("more", nargs="*", help="passed to pytest")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = options.report or Path(folder) / "report.xml"
        tests = [*dict.fromkeys(test for _, test in named()), "tests/faults"]
        command = [sys.executable, "-m", "pytest", "-q", "-m", "nightly or not nightly", f"--junitxml={report}"]
        code = subprocess.run([*command, *tests, *options.more], cwd=ROOT, check=False).returncode
        found = outcomes([*options.parts, report])
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    lines = ["# Results of the fault suite", ""]
    lines += [
        "Written by `uv run tox -e faults`; cases of one test, such as each fault point, are counted one by one.",
        "",
    ]
    lines += [f"Commit {commit or 'unknown'}, {datetime.now(UTC).date().isoformat()}, {machine()}.", ""]
    lines += ["| promise | test | passed | failed | skipped |", "| --- | --- | --: | --: | --: |"]
    promised = {test: promise for promise, test in named()}
    for test in [*promised, *sorted(found.keys() - promised.keys())]:
        counts = found.get(test, Counter())
        figures = " | ".join(str(counts[state]) for state in ("passed", "failed", "skipped"))
        figures = figures if counts else "not run | | "
        lines.append(f"| {promised.get(test, '')} | `{test}` | {figures} |")
    options.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main())
