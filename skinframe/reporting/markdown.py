"""The report as Markdown: numbers, headings and sentences of the page, for a repository or a supplement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from skinframe.reporting import claims, formatting
from skinframe.reporting.glossary import TERMS
from skinframe.reporting.page_sections import PageSection, citing, page_sections
from skinframe.reporting.report_schema import Report
from skinframe.reporting.report_values import SCREENING, Estimate, EvidenceTable, ReportedTest

NOTICE = "**For research only. Not a medical device, and not for any decision about a patient.**"


def cell(estimate: Estimate | None) -> str:
    """Return a figure with its interval."""
    if estimate is None:
        return ""
    inside = formatting.interval(estimate)
    return formatting.number(estimate.value) + (f" ({inside})" if inside else "")


def table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    rows = [[text.replace("|", "\\|") for text in row] for row in (head, *body)]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * len(head), *lines[1:]])


def plain(text: str) -> str:
    """Return text that Markdown shows as it is, on one line: a name from the data cannot become a link or a tag."""
    escaped = "".join(f"\\{c}" if c in "\\`*_[]<>#" else c for c in text)
    return " ".join(escaped.split())


def markdown(report: Report) -> str:
    """Return a run's report as Markdown."""
    return "\n\n".join(_parts(report)) + "\n"


def _parts(report: Report) -> Iterator[str]:
    head = report.headline
    yield f"# {plain(head.name)}"
    yield NOTICE
    if claims.bottom_line(report):
        yield f"**Bottom line.** {plain(claims.bottom_line(report))}"
    sizes = f"{head.n_test:,} test images of {head.groups_test:,} {head.group_level}s"
    yield f"{sizes}; scale {plain(head.scale)}; {plain(head.device)}; {head.date}; skinframe {head.version}"
    if report.data is not None:
        yield plain(f"{report.data.name}. {report.data.sentence} {report.data.split_sentence}")
    if report.trained_on:
        yield plain(report.trained_on)
    names = [f"{label} {title}" for label, title in report.class_titles.items() if title.lower() != label.lower()]
    if names:
        yield plain(f"Classes: {', '.join(names)}.")
    yield from (f"**Warning:** {plain(warning)}." for warning in report.warnings)
    for screening in (table for table in report.evidence if table.topic == SCREENING):
        yield from _table(screening, "")
    used: set[str] = set()
    for section in page_sections(report):
        parts = list(_section(section, citing(report, section.cites)))
        if parts:
            used |= set(section.terms)
            yield f"## {plain(section.title)}"
            yield from parts
    yield from map(plain, report.notes)
    if used:
        yield "## Glossary"
        yield "\n".join(f"- **{term.label}**: {term.meaning}" for key, term in TERMS.items() if key in used)


def _section(section: PageSection, report: Report) -> Iterator[str]:
    """Yield the paragraphs and tables of a section; cases, curves, data and plan are on the page only."""
    write = _WRITERS.get(section.anchor)
    if write is not None:
        yield from write(report)
    values = section.build(report) or {}
    if "added" in values:
        yield from map(plain, values["added"].paragraphs)
    for view in values.get("tables", ()):
        yield from _table(view.table, section.title)
    if "added" in values:
        yield from map(_test, values["added"].tests)


def _results(report: Report) -> Iterator[str]:
    columns = formatting.columns(report)
    yield table(
        ["model", *(info.label for info in columns)],
        [[plain(row.name), *(cell(row.metrics.get(info.name)) for info in columns)] for row in report.rows],
    )


def _calibration(report: Report) -> Iterator[str]:
    if claims.calibrator_sentence(report):
        yield plain(claims.calibrator_sentence(report))
    for diagram in report.reliability:
        yield f"{plain(diagram.name.capitalize())}: {plain(formatting.reliability_sentence(diagram))}"


def _classes(report: Report) -> Iterator[str]:
    if report.per_class:
        yield table(
            ["class", "test images", "recall", "precision", "AUROC"],
            [
                [plain(row.name), formatting.count(row.n_test), cell(row.recall), cell(row.precision), cell(row.auroc)]
                for row in report.per_class
            ],
        )


def _explanations(report: Report) -> Iterator[str]:
    yield from map(plain, report.explained)
    if report.rationale is not None and report.rationale.agreement is not None:
        yield plain(claims.agreement_sentence(report.rationale))
    if report.rationale is not None and report.rationale.accuracy is not None:
        tested = plain(formatting.rationale_sentence(report.rationale.test))
        yield f"Rationale accuracy: {cell(report.rationale.accuracy)}. {tested}"
    if report.grounding is not None:
        yield plain(formatting.grounding_sentence(report.grounding))


_WRITERS = {
    "results": _results,
    "calibration": _calibration,
    "classes": _classes,
    "explanations": _explanations,
}


def _table(evidence: EvidenceTable, title: str) -> Iterator[str]:
    if evidence.name != title:
        yield f"### {plain(evidence.name)}"
    yield plain(evidence.sentence)
    yield table(["", *map(plain, evidence.head)], [[plain(row.name), *map(cell, row.cells)] for row in evidence.rows])
    yield from map(_test, evidence.checks)


def _test(check: ReportedTest) -> str:
    outcome = {None: "not run", True: "holds", False: "does not hold"}[check.passed]
    return plain(f"Test “{check.name}”: {outcome}{f' ({check.detail})' if check.detail else ''}.")
