"""Says which component stands under which check: what pytest collects of the tests that use the contract kit.

`rows()` runs pytest in a process of its own, which only collects; this file is its plugin and writes what it sees.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).resolve().parents[1]
OUT = "SKINFRAME_CONTRACT_ROWS"


@dataclass(frozen=True)
class Row:
    """One test: a check and the components that it may be held against, with the reason where it must fail."""

    kind: str  # empty where a fixture brings the component
    names: tuple[str, ...]
    title: str
    check: str
    number: str
    reason: str


@cache
def rows() -> tuple[Row, ...]:
    """Return one row a contract test of the repository. Raises RuntimeError where the tests do not collect."""
    found = [path for path in ROOT.glob("plugins/*/tests/**/test_*.py") if "_contract(" in path.read_text("utf-8")]
    found += ROOT.glob("tests/**/test_*_contract.py")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "rows.json"
        command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "collect_contracts"]
        there = {**os.environ, OUT: str(out), "PYTHONPATH": str(Path(__file__).parent)}
        done = subprocess.run(  # noqa: S603  (the tests of this repository)
            [*command, *map(str, sorted(found))], cwd=ROOT, env=there, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(done.stdout[-2000:] + done.stderr[-2000:])
        return tuple(Row(**{**row, "names": tuple(row["names"])}) for row in json.loads(out.read_text("utf-8")))


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Write each contract test to the file that the environment names."""
    if OUT in os.environ:
        found = [row for item in items if (row := _row(item)) is not None]
        Path(os.environ[OUT]).write_text(json.dumps([asdict(row) for row in found]), encoding="utf-8")


def _row(item: pytest.Item) -> Row | None:
    from skinframe.components import Component
    from skinframe.testing.contract_decorators import title
    from skinframe.testing.law_and_check import Check

    params = dict(getattr(getattr(item, "callspec", None), "params", {}))
    check = params.pop("check", None)
    if not isinstance(check, Check):
        return None
    reason = next((mark.kwargs["reason"] for mark in item.iter_markers("xfail")), "")
    law = (check.name, check.law.number, reason)
    for kind, component in params.items():
        if isinstance(component, Component):
            return Row(kind, (component.name,), title(component), *law)
    named = tuple(value for value in params.values() if isinstance(value, str))
    return Row("", named or _imported(item), "", *law)


def _imported(item: pytest.Item) -> tuple[str, ...]:
    """Return the components that a test's module imports: one of them is what its fixture makes."""
    from skinframe.components import KINDS, Component

    classes = [each for each in vars(item.module).values() if isinstance(each, type)]  # type: ignore[attr-defined]
    own = [each for each in classes if issubclass(each, Component) and each not in KINDS.values()]
    return tuple(sorted(each.name for each in own if hasattr(each, "name")))
