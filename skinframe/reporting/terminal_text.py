"""Plain text for a terminal or a log: aligned columns, no control characters from data."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from skinframe.reporting import claims, formatting
from skinframe.reporting.report_schema import Report
from skinframe.reporting.report_values import SCREENING, Estimate, MetricInfo
from skinframe.reporting.run_comparison import Comparison, difference_sentence, model_test_sentence

NOTICE = "for research only; not a medical device"
WIDTH = 100  # columns of a terminal; a wider table is turned


def summary_text(report: Report) -> str:
    """Return the headline, the warnings, this run's figures with their intervals, and all rows without them."""
    head = report.headline
    synthetic = ", synthetic images" if report.data and report.data.synthetic else ""
    lines = [
        f"{head.name} (scale: {head.scale}{synthetic}) on {head.device}, {head.date}",
        f"{head.n_test:,} test images of {head.groups_test:,} {head.group_level}s{_epoch(report)}",
        *([report.trained_on] if report.trained_on else []),
        *(f"warning: {warning}" for warning in report.warnings),
    ]
    bottom = claims.bottom_line(report)
    shown = formatting.columns(report)
    main = [row for row in report.rows if row.role == "main"]
    figures = [
        [_directed(info), _cell(row.metrics[info.name])] for row in main for info in shown if info.name in row.metrics
    ]
    values = [[row.name, *(_value(row.metrics.get(info.name)) for info in shown)] for row in report.rows]
    parts = ["\n".join(safe(line) for line in lines)]
    if bottom:
        parts.append(safe(bottom))
    for screening in (one for one in report.evidence if one.topic == SCREENING):
        rows = [[row.name, *map(_cell, row.cells), row.note] for row in screening.rows]
        parts.append(table([screening.name.lower(), *screening.head, "images"], rows))
    agreed = "" if report.rationale is None else claims.agreement_sentence(report.rationale)
    explained = [line for line in (agreed, *report.explained) if line]
    if figures:
        parts.append(table(["this run, test images", f"value ({formatting.percent(report.level)} interval)"], figures))
    if values:
        parts.append(table(["model", *(info.label for info in shown)], values))
    if explained:
        parts.append("\n".join(safe(line) for line in explained))
    return "\n\n".join([*parts, NOTICE])


def comparison_text(comparison: Comparison) -> str:
    """Return the runs side by side, the paired differences and the settings that differ, 100 columns wide at most."""
    head = ["metric", *comparison.names]
    body = [
        [_directed(info), *(_cell(one.get(info.name)) for one in comparison.figures)] for info in comparison.metrics
    ]
    parts = [*(f"warning: {safe(warning)}" for warning in comparison.warnings), fitted(head, body)]
    if comparison.differences:
        rows = [
            [
                f"{one.first} - {one.second}",
                formatting.metric_label(one.metric),
                _cell(one.estimate),
                formatting.number(one.adjusted if one.adjusted is not None else one.p_value),
                difference_sentence(one),
            ]
            for one in comparison.differences
        ]
        parts.append(sections(["paired difference", "metric", "value", "p", "reading"], rows))
    if comparison.tests:
        rows = [
            [
                f"{test.first} - {test.second}",
                test.method,
                formatting.plain(test.quantity),
                _cell(test.estimate),
                formatting.number(test.adjusted),
                model_test_sentence(test),
            ]
            for test in comparison.tests
        ]
        parts.append(sections(["hypothesis test", "method", "quantity", "difference", "p, Holm", "reading"], rows))
    if comparison.settings:
        parts.append(
            fitted(["differs in", *comparison.names], [[row.path, *row.values] for row in comparison.settings])
        )
    return "\n\n".join(parts)


def fitted(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """Return a table; one that is too wide becomes a block a row, with one line for each of its further columns."""
    whole = table(head, body)
    if max(map(len, whole.splitlines())) <= WIDTH:
        return whole
    wide, names = max(len(safe(name)) for name in head[1:]), head[1:]
    blocks = [
        [safe(cells[0]), *(_cut(f"  {safe(n):<{wide}}  {safe(one)}") for n, one in zip(names, cells[1:], strict=True))]
        for cells in body
    ]
    return "\n".join(line for block in [[safe(head[0]), "-" * len(head[0])], *blocks] for line in block)


def sections(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """Return a table; one that is too wide says each first cell once, above the rows that it stands for."""
    whole = table(head, body)
    if max(map(len, whole.splitlines())) <= WIDTH:
        return whole
    held: dict[str, list[Sequence[str]]] = {}
    for row in body:
        held.setdefault(safe(row[0]), []).append(row[1:])
    blocks = [[_cut(first), *map(_cut, table(head[1:], rows).splitlines()), ""] for first, rows in held.items()]
    return "\n".join(line for block in blocks for line in block).rstrip()


def _cut(line: str) -> str:
    return line if len(line) <= WIDTH else line[: WIDTH - 1] + "…"


def table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """Return aligned columns under a ruled head."""
    rows = [[safe(cell) for cell in row] for row in (head, *body)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def safe(text: str) -> str:
    """Return text without control and direction characters: a name must not move the cursor or recolour a terminal."""
    return "".join(" " if unicodedata.category(one) in ("Cc", "Cf", "Cs") else one for one in text)


def _directed(info: MetricInfo) -> str:
    return f"{info.label} ({'higher' if info.higher_is_better else 'lower'} is better)"


def _cell(estimate: Estimate | None) -> str:
    if estimate is None:
        return ""
    inside = formatting.interval(estimate)
    floor = f" floor {formatting.number(estimate.floor.mean)}" if estimate.floor else ""
    return formatting.number(estimate.value) + (f" ({inside})" if inside else "") + floor


def _value(estimate: Estimate | None) -> str:
    return "" if estimate is None else formatting.number(estimate.value)


def _epoch(report: Report) -> str:
    """Return what was trained; nothing where predictions were only judged."""
    head = report.headline
    if not head.epochs:
        return ""
    chosen = "" if head.chosen_epoch is None else f", epoch {head.chosen_epoch} chosen"
    by = f" by {head.chosen_by}" if chosen and head.chosen_by else ""
    return f"; {formatting.several(head.epochs, 'epoch')}{chosen}{by}"
