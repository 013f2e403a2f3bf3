"""Runs the contract of each component of a plugin outside pytest, and says what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from skinframe.catalog import Entry
from skinframe.contracts import Judged, Judgement
from skinframe.errors import Problem, RecipeError, SkinframeError, did_you_mean
from skinframe.plugins import installed, load
from skinframe.testing.contract import suites
from skinframe.testing.law import NOTE, Check


def judge(plugin: str, name: str | None) -> Iterator[Judged]:
    """Yield each component of a plugin, judged at its default options. Raises RecipeError where there is none."""
    every = suites()
    for entry in _entries(plugin, name):
        component = entry.component
        checks = _judgements(entry, every[component.kind])
        yield Judged(component.kind, component.name, str(entry.origin), tuple(checks))


def _entries(plugin: str, name: str | None) -> list[Entry]:
    if plugin.endswith(".py") or Path(plugin).is_file():
        catalog, own = load([], [Path(plugin)], "check"), f"file:{Path(plugin).name}"
    else:
        known = installed()
        own = next((word for word, found in known.items() if plugin in (word, found.origin.distribution)), plugin)
        catalog = load([own], source="check")
    found = [entry for entry in catalog.entries.values() if entry.origin.plugin == own]
    if not found:
        raise RecipeError("check", [Problem(plugin, "registers no component")])
    if name is None:
        return found
    named = [entry for entry in found if entry.component.name == name]
    if not named:
        hint = did_you_mean(name, [entry.component.name for entry in found])
        raise RecipeError("check", [Problem(plugin, f"has no component '{name}'{hint}")])
    return named


def _judgements(entry: Entry, suite: Any) -> Iterator[Judgement]:
    try:
        component = entry.component()
        missing = component.missing() if hasattr(component, "missing") else []
    except (ValueError, TypeError, SkinframeError) as error:
        yield Judgement("all", "", "", "left out", f"it cannot be built with its default options: {error}")
        return
    if missing:
        yield Judgement("all", "", "", "left out", "\n".join(f"{each.what}; {each.next_step}" for each in missing))
        return
    breaks = component.breaks
    for check in set(breaks) - {law.name for law in suite.laws}:
        yield Judgement(check, "", "", "FAILED", f"`breaks` names it, and no check of a {suite.kind} is called so")
    try:
        checks = suite.checks(component)
    except AssertionError as error:
        yield Judgement("all", "", "", "FAILED", str(error))
        return
    for check in checks:
        yield _judgement(check, component, breaks.get(check.name))


def _judgement(check: Check, component: Any, reason: str | None) -> Judgement:
    law = check.law
    try:
        check(component)
    except pytest.skip.Exception as skipped:
        return Judgement(check.name, law.number, law.says, "left out", str(skipped))
    except Exception as error:  # whatever a stranger's component raises is the finding
        if reason is not None:
            return Judgement(check.name, law.number, law.says, "known", reason)
        return Judgement(check.name, law.number, law.says, "FAILED", _shown(error))
    if reason is not None:
        return Judgement(check.name, law.number, law.says, "FAILED", f"holds, though `breaks` says: {reason}")
    return Judgement(check.name, law.number, law.says, "ok")


def _shown(error: Exception) -> str:
    """Say what went wrong, and for which input, at its smallest."""
    what = str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"
    notes = [note.removeprefix(NOTE) for note in getattr(error, "__notes__", []) if note.startswith(NOTE)]
    return "\n".join([what or "an assertion failed", *notes[:1]])
