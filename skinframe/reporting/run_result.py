"""What a run gives back: its folder and report, shown as text or in a notebook."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from skinframe.reporting.report_schema import Report


@dataclass(frozen=True)
class RunResult:
    """A finished run."""

    folder: Path
    report: Report

    def __str__(self) -> str:
        from skinframe.reporting.terminal_text import summary_text

        return summary_text(self.report)

    def _repr_html_(self) -> str:
        from skinframe.reporting.page import summary_html

        return summary_html(self.report)
