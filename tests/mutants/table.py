"""What was found, as a section of a page: noticed and survived by module, and each survivor with its reason."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from breaks import Mutant
from targets import Target


@dataclass(frozen=True)
class Result:
    """One mutant, and what became of it: a row of drive.py, or None where it was not tried."""

    mutant: Mutant
    row: Mapping[str, Any] | None

    @property
    def module(self) -> str:
        return self.mutant.module

    @property
    def checked(self) -> bool:
        return self.row is not None

    @property
    def killed(self) -> bool:
        return bool(self.row and self.row["killed"])


def score(results: Sequence[Result]) -> float:
    checked = [result for result in results if result.checked]
    return sum(result.killed for result in checked) / max(1, len(checked))


def commit(root: Path) -> str:
    command = ["git", "-C", str(root), "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or "unknown"


def reason(result: Result, reasons: Mapping[str, str]) -> str:
    """Return why no test sees a change: that of the first pattern that `module: before → after` matches."""
    text = f"{result.module.rpartition('.')[2]}: {result.mutant.change}"
    return next((why for pattern, why in reasons.items() if re.search(pattern, text)), "none; a test is missing")


@dataclass(frozen=True)
class Sample:
    """How many of a room's mutants were drawn, and by which seed."""

    count: int
    seed: int


def section(
    target: Target, results: Sequence[Result], reasons: Mapping[str, str], at: str, sample: Sample | None = None
) -> str:
    """Return a target's section of docs/mutants.md. `reasons` maps patterns of changes to why no test sees them."""
    checked = [result for result in results if result.checked]
    killed = sum(result.killed for result in checked)
    of = f" A sample of {sample.count}, seed {sample.seed}." if sample else ""
    lines = [
        f"## {target.title}",
        "",
        f"At commit `{at}`, {datetime.now(UTC):%Y-%m-%d}, CPU: **{killed} of {len(checked)} noticed"
        f" ({100 * killed / max(1, len(checked)):.1f} %)**; {len(results) - len(checked)} not run. The bar is"
        f" {100 * target.bar:.0f} %.{of}",
        "",
        "| module | changes | noticed | survived | not run |",
        "| --- | --: | --: | --: | --: |",
    ]
    for module in dict.fromkeys(result.module for result in results):
        own = [result for result in results if result.module == module]
        done = [result for result in own if result.checked]
        good = sum(result.killed for result in done)
        lines.append(f"| `{module}` | {len(own)} | {good} | {len(done) - good} | {len(own) - len(done)} |")
    lines += ["", f"### Survivors in {target.title}", "", "| module | change | reason |", "| --- | --- | --- |"]
    for result in checked:
        if not result.killed:
            change = result.mutant.change.replace("|", "\\|")
            lines.append(f"| `{result.module.rpartition('.')[2]}` | `{change}` | {reason(result, reasons)} |")
    return "\n".join(lines) + "\n"


def replaced(page: str, title: str, section: str) -> str:
    """Return the page with the section of that title replaced, or with the section at its end."""
    parts = re.split(r"(?m)^(?=## )", page)
    places = [i for i, part in enumerate(parts) if part.startswith(f"## {title}\n")]
    if not places:
        return "".join(parts).rstrip("\n") + "\n\n" + section
    last = places[0] == len(parts) - 1
    parts[places[0]] = section if last else section + "\n"
    return "".join(parts)
