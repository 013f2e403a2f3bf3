"""What the templates of the page read: tables with their charts, cases with their pictures, curves in groups."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from skinframe.reporting import claims, formatting
from skinframe.reporting.case_pictures import colours, overlay_uri, plain_uri
from skinframe.reporting.charts import bars, curves, reliability_diagram
from skinframe.reporting.charts.svg_shapes import Chart
from skinframe.reporting.report_schema import ExampleCase, Report
from skinframe.reporting.report_values import (
    Confusion,
    Estimate,
    EvidenceTable,
    Floor,
    MetricInfo,
    Reliability,
    ResultRow,
    Series,
    Training,
)


@dataclass(frozen=True, kw_only=True)
class MetricColumn:
    """A metric's column: how it is named and the range that its whiskers share."""

    info: MetricInfo
    low: float
    high: float

    @property
    def axis(self) -> Chart:
        return bars.axis(self.low, self.high)

    def whisker(self, row: ResultRow) -> Chart | None:
        estimate = row.metrics.get(self.info.name)
        return None if estimate is None else bars.whisker(estimate, self.low, self.high, row.role)


@dataclass(frozen=True, kw_only=True)
class Tile:
    """A figure of the header: this run's value, and the floor or the other rows beside it."""

    label: str
    estimate: Estimate
    beside: str


@dataclass(frozen=True, kw_only=True)
class TableView:
    """A table of evidence with its charts."""

    table: EvidenceTable
    charts: tuple[tuple[str, Chart], ...]


@dataclass(frozen=True, kw_only=True)
class CaseView:
    """A case with its pictures and chart."""

    case: ExampleCase
    picture: str | None
    overlay: str | None
    chart: Chart

    @property
    def verdict(self) -> str:
        if self.case.label is None:
            return "unknown"
        return "right" if self.case.label == self.case.prediction else "wrong"


@dataclass(frozen=True, kw_only=True)
class CurveGroup:
    """Charts that belong together, with a sentence on how to read them."""

    title: str
    sentence: str
    charts: tuple[tuple[str, Chart], ...]


def metric_columns(report: Report) -> list[MetricColumn]:
    """Return one column for each metric of the rows."""
    columns = []
    for info in formatting.columns(report):
        low, high = bars.common_range(row.metrics[info.name] for row in report.rows if info.name in row.metrics)
        columns.append(MetricColumn(info=info, low=low, high=high))
    return columns


def tiles(report: Report, most: int = 4) -> list[Tile]:
    """Return the figures of the main row that the header shows; one with a floor is always among them."""
    main = next((row for row in report.rows if row.role == "main"), None)
    if main is None:
        return []
    found = []
    for info in formatting.columns(report):
        estimate = main.metrics.get(info.name)
        if estimate is not None:
            beside = formatting.floor_sentence(estimate) or _other_rows(report, info.name)
            found.append(Tile(label=info.label, estimate=estimate, beside=beside))
    floored = [tile for tile in found if tile.estimate.floor is not None][:1]
    others = [tile for tile in found if tile not in floored]
    return others[: most - len(floored)] + floored


def _other_rows(report: Report, metric: str) -> str:
    """Return the best baseline by name, and the ceiling where one is known."""
    best = claims.best_reference(report, metric)
    row = None if best is None else best[0]
    values = [] if row is None else [f"best reference: {row.name} {formatting.number(row.metrics[metric].value)}"]
    ceilings = [row for row in report.rows if row.role == "reference" and metric in row.metrics]
    values += [f"{row.name} {formatting.number(row.metrics[metric].value)}" for row in ceilings]
    return "; ".join(values)


def diagrams(report: Report) -> list[tuple[Reliability, Chart]]:
    """Return each reliability diagram with its drawing."""
    return [(diagram, reliability_diagram.reliability(diagram)) for diagram in report.reliability]


def share_chart(estimate: Estimate | None, beside: Estimate | None = None) -> Chart | None:
    """Draw a share and its interval on [0, 1], another value beside it as a tick."""
    if estimate is None:
        return None
    tick = None if beside is None or beside.value is None else Floor(mean=beside.value)
    return bars.whisker(dataclasses.replace(estimate, floor=tick), 0, 1, "main")


def confusion_shares(confusion: Confusion | None) -> list[list[tuple[int, float]]]:
    """Return the counts of a confusion matrix, each with its share of the row."""
    if confusion is None:
        return []
    return [[(count, count / max(1, sum(row))) for count in row] for row in confusion.counts]


def table_views(report: Report, topic: str) -> list[TableView]:
    """Return the tables of one topic with their curves drawn."""
    return [table_view(table) for table in report.evidence if table.topic == topic]


def table_view(table: EvidenceTable) -> TableView:
    """Return a table with its curves drawn."""
    charts = tuple((line.name, curves.curve(line, table.unit)) for line in table.curves)
    return TableView(table=table, charts=charts)


def case_views(report: Report) -> list[CaseView]:
    """Return each case with its pictures and chart."""
    return [
        CaseView(
            case=case,
            picture=plain_uri(case.image),
            overlay=None if case.heat is None else overlay_uri(case.image, case.heat),
            chart=bars.probabilities(case, report.classes),
        )
        for case in report.cases
    ]


def curve_groups(training: Training | None) -> list[CurveGroup]:
    """Return the training curves in groups; a group without a curve is left out."""
    if training is None:
        return []
    chosen = training.chosen_epoch
    marked = "" if chosen is None else "The dashed line marks the chosen epoch."
    steps = (
        ("Loss terms", "Each term before its weight.", training.losses),
        ("Weights", "What each term is multiplied by.", training.weights),
        ("Gradient norms", "The norm of each term's gradient by the trained weights.", training.gradients),
        ("Gradient shares", "Each norm as a share of their sum.", training.shares),
    )
    groups = [_group("Validation metrics by epoch", marked, training.validation, "epoch", chosen)]
    groups += [_group(title, sentence, lines, training.unit) for title, sentence, lines in steps]
    return [group for group in groups if group.charts]


def _group(title: str, sentence: str, lines: Sequence[Series], unit: str, marked: float | None = None) -> CurveGroup:
    longest = max((len(line.x) for line in lines), default=0)
    if longest > curves.MOST_POINTS:
        sentence += f" Each point is the mean of up to {-(-longest // curves.MOST_POINTS)} neighbours."
    charts = tuple((formatting.metric_label(line.name), curves.curve(line, unit, marked)) for line in lines)
    return CurveGroup(title=title, sentence=sentence.strip(), charts=charts)


def heat_scale() -> str:
    """Return the colours of a heat map, least to most, as a CSS gradient."""
    import numpy as np

    stops = colours(np.linspace(0, 1, 9)).round().astype(int).tolist()
    return "linear-gradient(to right, " + ", ".join(f"rgb({r}, {g}, {b})" for r, g, b in stops) + ")"
