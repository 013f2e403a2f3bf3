"""`skinframe report`: rebuild the page of a finished run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from skinframe.verbs.command_from_signature import Command, Option
from skinframe.verbs.shared_options import Run

if TYPE_CHECKING:
    from skinframe.reporting.run_result import RunResult

Place = str | Path | None


def report(
    run: Run,
    *,
    csv: Annotated[Place, Option("also write metrics and predictions there, as CSV", metavar="FOLDER")] = None,
    pseudonyms: Annotated[
        Place,
        Option("key file, created if absent; page, tables and documents then hold keyed hashes for ids", metavar="KEY"),
    ] = None,
    documents: Annotated[
        Place,
        Option("also write report.md, a model card, a data sheet and reporting checklists there", metavar="FOLDER"),
    ] = None,
) -> RunResult:
    """Rebuild a finished run's report.html from its report.json and return the result.

    `csv` is a folder for metrics and predictions, `documents` one for report.md, a model card, a data sheet and
    checklists; `pseudonyms` is a key file under which all of them and the page hold hashes for ids. Raises DataError,
    DiskError.
    """
    from skinframe.finished.rewrite_and_compare import rewrite_report

    tables, key, papers = (None if place is None else Path(place) for place in (csv, pseudonyms, documents))
    return rewrite_report(Path(run), tables, key, papers)


COMMAND = Command("report", report, "rebuild a finished run's report.html and print its summary")
