"""report.json and report.html, each complete or absent, never half."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from skinframe.atomic_write import write_atomic
from skinframe.errors import DataError
from skinframe.reporting.json_codec import dumps, loads
from skinframe.reporting.page import render
from skinframe.reporting.report_schema import Report
from skinframe.reporting.report_values import (
    CALIBRATION,
    CONFORMAL,
    INJECTION,
    LARGEST_GAP,
    NOTHING_ENTERS,
    OUT_OF_DISTRIBUTION,
    SELECTIVE,
    SUBGROUPS,
    TIERS,
    EvidenceTable,
)
from skinframe.untrusted_files import UnreadableError, read_text

# names in reports of version 0.1
RENAMED_TESTS = {
    "Largest gap beyond chance": LARGEST_GAP,
    "Falls beyond chance out of distribution": OUT_OF_DISTRIBUTION,
    "No word gets in but through the pixels": NOTHING_ENTERS,
}
TOPIC_OF_TEST = {LARGEST_GAP: SUBGROUPS, OUT_OF_DISTRIBUTION: TIERS, NOTHING_ENTERS: INJECTION}
TOPIC_OF_TABLE = {
    "Before and after calibration": CALIBRATION,
    "Leaving the least sure to someone else": SELECTIVE,
    "Sets of classes that hold the true one about nine times in ten": CONFORMAL,
}


def write_report(report: Report, folder: Path) -> tuple[Path, Path]:
    """Write report.json and report.html into `folder`; return their paths. Raises DiskError, DataError."""
    text = dumps(report)
    # a report that could not be read back is a bug found here, not by whoever opens it next year
    loads(Report, text)
    page = render(report)
    path = folder / "report.json"
    write_atomic(path, text.encode("utf-8"))
    return path, _write(page, folder)


def write_page(report: Report, folder: Path) -> Path:
    """Write report.html alone: report.json is what was measured, and its hash stands in the run. Raises DiskError."""
    return _write(render(report), folder)


def _write(page: str, folder: Path) -> Path:
    # a lone surrogate in an id has no UTF-8 form; JSON escapes it, the page shows a question mark
    path = folder / "report.html"
    write_atomic(path, page.encode("utf-8", "replace"))
    return path


def read_report(path: Path) -> Report:
    """Read report.json, from the file or from the run folder that holds it. Raises DataError."""
    file = path / "report.json" if path.is_dir() else path
    try:
        text = read_text(file)
    except UnreadableError as error:
        raise DataError(f"{error}; name a finished run's folder") from error
    return _upgraded(loads(Report, text, str(file)))


def _upgraded(report: Report) -> Report:
    """Return a report of version 0.1 with today's names of tests, and the topics that its tables did not have."""
    return dataclasses.replace(report, evidence=tuple(map(_with_topic, report.evidence)))


def _with_topic(table: EvidenceTable) -> EvidenceTable:
    checks = tuple(dataclasses.replace(check, name=RENAMED_TESTS.get(check.name, check.name)) for check in table.checks)
    topics = [TOPIC_OF_TEST[check.name] for check in checks if check.name in TOPIC_OF_TEST]
    topic = table.topic or next(iter(topics), TOPIC_OF_TABLE.get(table.name, ""))
    return dataclasses.replace(table, checks=checks, topic=topic)
