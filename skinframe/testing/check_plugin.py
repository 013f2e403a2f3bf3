"""Runs the contract checks of each component of a plugin outside pytest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from skinframe.catalog import Entry
from skinframe.contract_results import CheckResult, ComponentResult
from skinframe.errors import Problem, RecipeError, SkinframeError, did_you_mean
from skinframe.plugins import installed, load
from skinframe.testing.contract_decorators import suites
from skinframe.testing.law_and_check import NOTE, Check


def check_components(plugin: str, name: str | None) -> Iterator[ComponentResult]:
    """Yield the result of each component of a plugin, at its default options. Raises RecipeError for none."""
    suite_of = suites()
    for entry in _entries(plugin, name):
        component = entry.component
        checks = _results(entry, suite_of[component.kind])
        yield ComponentResult(component.kind, component.name, str(entry.origin), tuple(checks))


def _entries(plugin: str, name: str | None) -> list[Entry]:
    if plugin.endswith(".py") or Path(plugin).is_file():
        catalog, own = load([], [Path(plugin)], "check"), f"file:{Path(plugin).name}"
    else:
        known = installed()
        own = next((word for word, entries in known.items() if plugin in (word, entries.origin.distribution)), plugin)
        catalog = load([own], source="check")
    entries = [entry for entry in catalog.entries.values() if entry.origin.plugin == own]
    if not entries:
        raise RecipeError("check", [Problem(plugin, "registers no component")])
    if name is None:
        return entries
    named = [entry for entry in entries if entry.component.name == name]
    if not named:
        hint = did_you_mean(name, [entry.component.name for entry in entries])
        raise RecipeError("check", [Problem(plugin, f"has no component '{name}'{hint}")])
    return named


def _results(entry: Entry, suite: Any) -> Iterator[CheckResult]:
    try:
        component = entry.component()
        missing = component.missing() if hasattr(component, "missing") else []
    except (ValueError, TypeError, SkinframeError) as error:
        yield CheckResult("all", "", "", "skipped", f"it cannot be built with its default options: {error}")
        return
    if missing:
        yield CheckResult("all", "", "", "skipped", "\n".join(f"{each.what}; {each.next_step}" for each in missing))
        return
    breaks = component.breaks
    for check in set(breaks) - {law.name for law in suite.laws}:
        yield CheckResult(check, "", "", "FAILED", f"`breaks` names it, but a {suite.kind} has no check of this name")
    try:
        checks = suite.checks(component)
    except AssertionError as error:
        yield CheckResult("all", "", "", "FAILED", str(error))
        return
    for check in checks:
        yield _result(check, component, breaks.get(check.name))


def _result(check: Check, component: Any, reason: str | None) -> CheckResult:
    law = check.law
    try:
        check(component)
    except pytest.skip.Exception as skipped:
        return CheckResult(check.name, law.number, law.says, "skipped", str(skipped))
    except Exception as error:  # whatever a stranger's component raises is the finding
        if reason is not None:
            return CheckResult(check.name, law.number, law.says, "xfailed", reason)
        return CheckResult(check.name, law.number, law.says, "FAILED", _shown(error))
    if reason is not None:
        return CheckResult(
            check.name, law.number, law.says, "FAILED", f"passes, but `breaks` declares a failure: {reason}"
        )
    return CheckResult(check.name, law.number, law.says, "passed")


def _shown(error: Exception) -> str:
    """Say what went wrong, and for which input, at its smallest."""
    what = str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"
    notes = [note.removeprefix(NOTE) for note in getattr(error, "__notes__", []) if note.startswith(NOTE)]
    return "\n".join([what or "an assertion failed", *notes[:1]])
