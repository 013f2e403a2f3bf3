"""`skinframe compare`: finished runs on the same test samples."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from skinframe.verbs.command import Command, Option

if TYPE_CHECKING:
    from skinframe.reporting.compare import Comparison


def compare(*runs: Annotated[str | Path, Option("run folders, two or more", metavar="RUN")]) -> Comparison:
    """Compare finished runs on the same test samples. Raises DataError where the samples differ."""
    from skinframe.finished.rewrite_and_compare import compare_runs

    return compare_runs([Path(run) for run in runs])


def _text(*runs: str) -> str:
    from skinframe.reporting.terminal import comparison_text

    return comparison_text(compare(*runs))


COMMAND = Command("compare", compare, "compare finished runs on the same test samples", _text)
