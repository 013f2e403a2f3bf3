"""What mutmut found, as a page: killed and survived by module, and each survivor with the change and the reason."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

BAR = 0.95
KILLED = {1, 3, 36, -24, 24, 152, 255}  # a failed test, pytest broken by the change, or the time limit


@dataclass(frozen=True)
class Result:
    """One mutant: its name, its module, what became of it and, for a survivor, the changed lines."""

    name: str
    module: str
    code: int | None
    change: str = ""

    @property
    def killed(self) -> bool:
        return self.code in KILLED

    @property
    def checked(self) -> bool:
        return self.code not in (None, 34)


def read(work: Path, package: str) -> list[Result]:
    """Return every mutant that mutmut knows in `work`."""
    found = []
    for meta in sorted((work / "mutants" / package).rglob("*.py.meta")):
        module = str(meta.relative_to(work / "mutants")).removesuffix(".py.meta").replace("/", ".")
        for name, code in json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"].items():
            result = Result(name, module, code)
            found.append(result if result.killed or code is None else Result(name, module, code, _change(work, name)))
    return found


def _change(work: Path, name: str) -> str:
    import sys

    command = [str(Path(sys.executable).with_name("mutmut")), "show", name]
    diff = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False).stdout
    lines = [line for line in diff.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    return " → ".join(" ".join(line[1:].split()) for line in lines)


def score(results: Sequence[Result]) -> float:
    checked = [result for result in results if result.checked]
    return sum(result.killed for result in checked) / max(1, len(checked))


def commit(root: Path) -> str:
    command = ["git", "-C", str(root), "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or "unknown"


def page(results: Sequence[Result], reasons: Mapping[str, str], at: str) -> str:
    """Return docs/mutants.md. `reasons` maps a changed line to why no test can or need see it."""
    checked = [result for result in results if result.checked]
    killed = sum(result.killed for result in checked)
    lines = [
        "# Mutation tests",
        "",
        "`uv run tox -e mutants` breaks the loss terms on purpose, one small change at a time (an operator, a",
        "constant, an argument, a branch), and counts the changes that a test notices. Message texts, decorators and",
        "what stands outside of functions are not changed. A time-out counts as noticed. The bar is 95 %.",
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
            change = result.change.replace("|", "\\|")
            lines.append(f"| `{result.module.rpartition('.')[2]}` | `{change}` | {reasons.get(result.change, '')} |")
    return "\n".join(lines) + "\n"
