"""What was found, as a page: killed and survived by module, and each survivor with the change and the reason."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import drive
from breaks import Mutant

BAR = 0.95


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


def page(results: Sequence[Result], reasons: Mapping[str, str], at: str) -> str:
    """Return docs/mutants.md. `reasons` maps patterns of changes to why no test can or need see them."""
    checked = [result for result in results if result.checked]
    killed = sum(result.killed for result in checked)
    lines = [
        "# Mutation tests",
        "",
        "`uv run tox -e mutants` breaks the loss terms on purpose, one small change at a time (an operator, a",
        "constant, an argument, a branch), and counts the changes that a test notices. Message texts, decorators and",
        "what stands outside of functions are not changed. A change meets the tests of its module's own file, and the",
        f"others that reach its function, the shorter the earlier, for {drive.ELSEWHERE:.0f} s at most; one that does"
        " not end counts as",
        "noticed. The bar is 95 %.",
        "",
        f"At commit `{at}`, {datetime.now(UTC):%Y-%m-%d}, CPU: **{killed} of {len(checked)} noticed"
        f" ({100 * killed / max(1, len(checked)):.1f} %)**; {len(results) - len(checked)} not run.",
        "",
        "| module | changes | noticed | survived | not run |",
        "| --- | --: | --: | --: | --: |",
    ]
    for module in dict.fromkeys(result.module for result in results):
        own = [result for result in results if result.module == module]
        done = [result for result in own if result.checked]
        good = sum(result.killed for result in done)
        lines.append(f"| `{module}` | {len(own)} | {good} | {len(done) - good} | {len(own) - len(done)} |")
    lines += ["", "## Survivors", "", "| module | change | reason |", "| --- | --- | --- |"]
    for result in checked:
        if not result.killed:
            change = result.mutant.change.replace("|", "\\|")
            lines.append(f"| `{result.module.rpartition('.')[2]}` | `{change}` | {reason(result, reasons)} |")
    return "\n".join(lines) + "\n"
