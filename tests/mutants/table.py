"""What mutmut found, as a page: killed and survived by module, and each survivor with the change and the reason."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

BAR = 0.95
UNREACHED = 33  # mutmut found no test that calls the function
ROUND = 32  # letters shown on either side of a change
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
    """Return every mutant that mutmut knows in `work`, a survivor with its change."""
    found = []
    with contextlib.chdir(work):  # where mutmut's settings and results lie
        for meta in sorted((Path("mutants") / package).rglob("*.py.meta")):
            path = Path(str(meta.relative_to("mutants")).removesuffix(".meta"))
            module = str(path).removesuffix(".py").replace("/", ".")
            for name, code in json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"].items():
                result = Result(name, module, code)
                lives = result.checked and not result.killed
                found.append(replace(result, change=_change(name, path)) if lives else result)
    return found


def _change(name: str, path: Path) -> str:
    """Return `before → after`, the part of the line that differs with a few words around it."""
    from mutmut.mutation.diff_apply import get_diff_for_mutant

    lines = get_diff_for_mutant(name, path=path).splitlines()
    before, after = (
        " ".join(" ".join(line[1:].split()) for line in lines if line[:1] == sign and line[:3] != sign * 3)
        for sign in "-+"
    )
    start = _alike(before, after)
    end = min(_alike(before[::-1], after[::-1]), len(before) - start, len(after) - start)
    left, right = max(0, start - ROUND), end - ROUND
    cut = [text[left : len(text) - max(0, right)].strip() for text in (before, after)]
    return f"{cut[0]} → {cut[1]}"


def _alike(one: str, other: str) -> int:
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def score(results: Sequence[Result]) -> float:
    checked = [result for result in results if result.checked]
    return sum(result.killed for result in checked) / max(1, len(checked))


def commit(root: Path) -> str:
    command = ["git", "-C", str(root), "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or "unknown"


def reason(result: Result, reasons: Mapping[str, str]) -> str:
    """Return why no test sees a change: the first of the patterns that its text matches, else whether a test ran."""
    found = (why for pattern, why in reasons.items() if re.search(pattern, result.change))
    return next(found, "no test of this run reaches it" if result.code == UNREACHED else "none; a test is missing")


def page(results: Sequence[Result], reasons: Mapping[str, str], at: str, scope: str) -> str:
    """Return docs/mutants.md. `reasons` maps patterns of changes to why no test can or need see them."""
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
        f" ({100 * killed / max(1, len(checked)):.1f} %)**; {len(results) - len(checked)} not run. {scope}",
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
            lines.append(f"| `{result.module.rpartition('.')[2]}` | `{change}` | {reason(result, reasons)} |")
    return "\n".join(lines) + "\n"
