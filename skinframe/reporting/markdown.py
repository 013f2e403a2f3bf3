"""Reports as Markdown: the same numbers and the same sentences as the page, for a repository or a supplement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from skinframe.reporting import words
from skinframe.reporting.evidence import EvidenceTable
from skinframe.reporting.schema import Estimate, Report

NOTICE = "**For research only. Not a medical device, and not for any decision about a patient.**"


def cell(estimate: Estimate | None) -> str:
    """Return a figure with its interval."""
    if estimate is None:
        return ""
    inside = words.interval(estimate)
    return words.number(estimate.value) + (f" ({inside})" if inside else "")


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
    sizes = f"{head.n_test:,} test images of {head.groups_test:,} {head.group_level}s"
    yield f"{sizes}; scale {plain(head.scale)}; {plain(head.device)}; {head.date}; skinframe {head.version}"
    if report.data is not None:
        yield plain(f"{report.data.name}. {report.data.sentence} {report.data.split_sentence}")
    yield from (f"**Read this first:** {plain(warning)}" for warning in report.warnings)
    columns = words.columns(report)
    yield "## Results on the test images"
    yield table(
        ["model", *(info.label for info in columns)],
        [[plain(row.name), *(cell(row.metrics.get(info.name)) for info in columns)] for row in report.rows],
    )
    yield from (f"{plain(one.name)}: {plain(words.reliability_sentence(one))}" for one in report.reliability)
    if report.per_class:
        yield "## Classes"
        yield table(
            ["class", "test images", "recall", "precision", "AUROC"],
            [
                [plain(one.name), words.count(one.n_test), cell(one.recall), cell(one.precision), cell(one.auroc)]
                for one in report.per_class
            ],
        )
    for evidence in report.evidence:
        yield from _evidence(evidence)
    if report.rationale is not None:
        yield "## Rationales"
        tested = plain(words.rationale_sentence(report.rationale.test))
        yield f"Attributes right: {cell(report.rationale.accuracy)}. {tested}"
    if report.grounding is not None:
        yield "## Heat maps"
        yield plain(words.grounding_sentence(report.grounding))
    yield from map(plain, report.notes)


def _evidence(evidence: EvidenceTable) -> Iterator[str]:
    yield f"## {plain(evidence.name)}"
    yield plain(evidence.sentence)
    yield table(["", *map(plain, evidence.head)], [[plain(row.name), *map(cell, row.cells)] for row in evidence.rows])
