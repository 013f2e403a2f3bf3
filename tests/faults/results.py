"""Run the tests that docs/guarantees.md names, and the long part, and write what came of each beside commit and date.

`python tests/faults/results.py --out results.md --fuzz 600`; what pytest is given after `--` is passed on. The table is
written again every half minute, and says what was not run yet. Each case also has its line in `--record`, which
outlives an interrupted run: the next one goes on from it with `--continue`, where the last word on a case counts.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from record import PLACE, ROOT, commit, lines

HERE = Path(__file__).resolve().parent

STATES = ("passed", "failed", "skipped", "not run")
EVERY = 30  # seconds between two tables


def named() -> list[tuple[str, str]]:
    """Return promise and test of each row of the guarantees."""
    text = (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")
    return re.findall(r"^\| ([^|]+) \|.*`((?:tests|plugins)/[^`]+)` \|$", text, re.MULTILINE)


def cases(record: Path) -> dict[str, dict[str, Any]]:
    """Return the last line of each case that was planned; one without a line of its own was not run."""
    found: dict[str, dict[str, Any]] = {}
    for line in lines(record):
        for case in line.get("planned", ()):
            found.setdefault(case, {"state": "not run", "seconds": 0.0})
        if "case" in line:
            found[line["case"]] = line
    return found


def tests(found: dict[str, dict[str, Any]]) -> dict[str, Counter[str]]:
    """Count the cases of each test by state, parameters taken together."""
    counts: dict[str, Counter[str]] = {}
    for case, line in found.items():
        counts.setdefault(case.partition("[")[0], Counter())[line["state"]] += 1
    return counts


def machine() -> str:
    """Return what the results were got on."""
    import torch

    return (
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, torch {torch.__version__}"
    )


def document(record: Path, on: str) -> str:
    """Return the page: what ran, a row a test, a row a reader that was fuzzed."""
    found = cases(record)
    counts = tests(found)
    commits = sorted({line["commit"] for line in lines(record)}) or [commit()]
    total = Counter(line["state"] for line in found.values())
    promised = {test: promise for promise, test in named()}
    rows = []
    for test in [*promised, *sorted(counts.keys() - promised.keys())]:
        count = counts.get(test, Counter({"not run": 1}))
        figures = " | ".join(str(count[state]) for state in STATES)
        rows.append(f"| {promised.get(test, '')} | `{test}` | {figures} |")
    return "\n".join(
        [
            "# Results of the fault suite",
            "",
            "Written by `uv run tox -e faults`; cases of one test, such as each fault point, are counted one by one.",
            "",
            f"Commit {', '.join(commits)}, {datetime.now(UTC).date().isoformat()}, {on}.",
            f"{len(found)} cases: {', '.join(f'{total[state]} {state}' for state in STATES)}.",
            "",
            f"| promise | test | {' | '.join(STATES)} |",
            "| --- | --- |" + " --: |" * len(STATES),
            *rows,
            "",
            *fuzzed(record),
        ]
    )


def fuzzed(record: Path) -> list[str]:
    """Return the table of hostile bytes, the last line of each reader."""
    last = {line["fuzz"]: line for line in lines(record) if "fuzz" in line}
    if not last:
        return ["No reader was given hostile bytes in this run."]
    columns = ("fuzz", "seconds", "inputs", "refused", "findings", "commit")
    return [
        "Hostile bytes: every input is read or refused with an error of skinframe's own; any other end is a finding.",
        "",
        f"| reader | {' | '.join(columns[1:])} |",
        "| --- |" + " --: |" * 4 + " --- |",
        *(f"| {' | '.join(str(line[name]) for name in columns)} |" for _, line in sorted(last.items())),
    ]


def write(out: Path, text: str) -> None:
    aside = out.with_name(f".{out.name}.tmp")
    aside.write_text(text + "\n", encoding="utf-8")
    aside.replace(out)


def watched(command: Sequence[str], record: Path, out: Path, on: str) -> int:
    """Run a command to its end and write the table meanwhile, and at the end whatever the end is."""
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, PLACE: str(record.resolve())})
    try:
        while True:
            try:
                return process.wait(EVERY)
            except subprocess.TimeoutExpired:
                write(out, document(record, on))
    finally:
        write(out, document(record, on))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("results.md"))
    parser.add_argument("--record", type=Path, default=ROOT / ".tox" / "faults.jsonl", help="a line a case")
    parser.add_argument("--continue", action="store_true", dest="go_on", help="leave out what the record says passed")
    parser.add_argument("--fuzz", type=float, default=0.0, metavar="SECONDS", help="hostile bytes for each reader")
    parser.add_argument("more", nargs="*", help="passed to pytest")
    options = parser.parse_args()
    options.record.parent.mkdir(parents=True, exist_ok=True)
    if not options.go_on:
        options.record.unlink(missing_ok=True)
    on = machine()
    done = [case for case, line in cases(options.record).items() if line["state"] == "passed"]
    wanted = [*dict.fromkeys(test for _, test in named()), "tests/faults", *(f"--deselect={case}" for case in done)]
    pytest = [sys.executable, "-m", "pytest", "-q", "-m", "nightly or not nightly", "-p", "record"]
    sys.stdout.flush()
    os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])])
    code = watched([*pytest, *wanted, *options.more], options.record, options.out, on)
    if options.fuzz:
        hostile = [sys.executable, str(HERE / "fuzz.py"), "--seconds", str(options.fuzz)]
        code = max(code, watched(hostile, options.record, options.out, on))
    return code


if __name__ == "__main__":
    sys.exit(main())
