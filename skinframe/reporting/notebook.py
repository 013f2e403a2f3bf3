"""What a result shows of itself: in a notebook cell and in a terminal."""

from __future__ import annotations

from skinframe.reporting import words
from skinframe.reporting.page import environment
from skinframe.reporting.schema import Report
from skinframe.reporting.tables import summary_text

__all__ = ["summary_html", "summary_text"]


def summary_html(report: Report) -> str:
    """Return a short HTML fragment: headline, warnings, the table of figures. No script, no style sheet."""
    shown = words.columns(report)
    template = environment().get_template("summary.html.j2")
    return template.render(report=report, head=report.headline, columns=shown, words=words)
