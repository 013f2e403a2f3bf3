"""A grid's report as JSON, HTML and Markdown, each whole or absent."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from skinframe.atomic_write import write_atomic
from skinframe.reporting import formatting
from skinframe.reporting.charts.metric_over_axis import spread
from skinframe.reporting.grid_report import GridReport, Paired, sentence, span, summary
from skinframe.reporting.json_codec import dumps, loads
from skinframe.reporting.markdown import NOTICE, cell, table


def write_grid(report: GridReport, folder: Path) -> None:
    """Write grid.json, grid.html and grid.md into `folder`. Raises DiskError."""
    text = dumps(report)
    loads(GridReport, text, "grid.json")
    write_atomic(folder / "grid.json", text.encode())
    write_atomic(folder / "grid.html", html(report).encode("utf-8", "replace"))
    write_atomic(folder / "grid.md", markdown(report).encode("utf-8", "replace"))


def html(report: GridReport) -> str:
    """Return one self-contained page, under the same rules as a run's report."""
    from skinframe.reporting.page import environment

    charts = [(info.label or formatting.metric_label(info.name), spread(report, info.name)) for info in report.metrics]
    return (
        environment()
        .get_template("grid.html.j2")
        .render(
            report=report,
            said=summary(report),
            tables=[(title, _readings(report, rows)) for title, rows in _tables(report) if rows],
            charts=[(label, chart) for label, chart in charts if chart is not None],
            words=formatting,
            span=span,
        )
    )


def markdown(report: GridReport) -> str:
    """Return the report as Markdown."""
    labels = [
        f"{formatting.metric_label(i.name)} ({'higher' if i.higher_is_better else 'lower'})" for i in report.metrics
    ]
    arms = [
        [arm.name, *(cell(report.figure(arm.name, info.name).estimate) for info in report.metrics)]
        for arm in report.arms
    ]
    parts = [
        f"# {report.kind.capitalize()}: {report.name}",
        NOTICE,
        head_line(report),
        *(f"**Read this first:** {warning}." for warning in report.warnings),
        "\n".join(f"- {line}." for line in summary(report)),
        table(["arm", *labels], arms),
    ]
    for title, rows in _tables(report):
        if rows:
            body = [
                [f"{row.first} − {row.second}", cell(row.estimate), formatting.number(row.adjusted), reading]  # noqa: RUF001
                for row, reading in _readings(report, rows)
            ]
            parts += [f"## {title}", table(["paired difference", "value", "p, Holm", "reading"], body)]
    return "\n\n".join([*parts, *report.notes]) + "\n"


def head_line(report: GridReport) -> str:
    """Return how much was run on what."""
    runs = sum(len(arm.runs) for arm in report.arms)
    seeds = ", ".join(map(str, report.seeds))
    return (
        f"{len(report.arms)} arms, {runs} runs, seeds {seeds}, split seed {report.split_seed}; {report.n_test:,} test"
        f" images of {report.groups_test:,} {report.group_level}s; scale {report.scale}; {report.device}; {report.date}"
    )


def _tables(report: GridReport) -> tuple[tuple[str, Sequence[Paired]], ...]:
    return (("Main effects", report.effects), (f"Each arm against '{report.reference}'", report.differences))


def _readings(report: GridReport, rows: Sequence[Paired]) -> list[tuple[Paired, str]]:
    return [(row, sentence(row, report.info(row.metric))) for row in rows]
