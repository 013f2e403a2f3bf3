"""The page as text: Jinja2 with escaping always on, and the views that its templates read."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from skinframe.reporting import words
from skinframe.reporting.charts import bars, curves, reliability
from skinframe.reporting.charts.canvas import Chart
from skinframe.reporting.images import colours, overlay_uri, plain_uri
from skinframe.reporting.schema import Case, Confusion, Curve, Estimate, Floor, MetricInfo, Report, Row, Training

if TYPE_CHECKING:
    from jinja2 import Environment


@dataclass(frozen=True, kw_only=True)
class Column:
    """A metric's column: how it is named and the range that its whiskers share."""

    info: MetricInfo
    low: float
    high: float

    @property
    def axis(self) -> Chart:
        return bars.axis(self.low, self.high)

    def whisker(self, row: Row) -> Chart | None:
        estimate = row.metrics.get(self.info.name)
        return None if estimate is None else bars.whisker(estimate, self.low, self.high, row.role)


@dataclass(frozen=True, kw_only=True)
class Tile:
    """A figure of the headline: this run's value, and the floor or the other rows beside it."""

    label: str
    estimate: Estimate
    beside: str


@dataclass(frozen=True, kw_only=True)
class CaseView:
    """A case with its pictures and chart."""

    case: Case
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


def environment() -> Environment:
    """Return the templates of this folder; every value is escaped, and an unknown name is an error."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    env = Environment(
        loader=PackageLoader("skinframe.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters.update(
        number=words.number,
        interval=words.interval,
        count=words.count,
        percent=words.percent,
        plain=words.plain,
        listed=words.listed,
    )
    return env


def render(report: Report) -> str:
    """Return the whole page: one self-contained HTML document without script."""
    shown = _columns(report)
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            head=report.headline,
            columns=shown,
            tiles=_tiles(report, shown),
            diagrams=[(diagram, reliability.reliability(diagram)) for diagram in report.reliability],
            confusion=_shares(report.confusion),
            cases=[_case(case, report.classes) for case in report.cases],
            groups=_groups(report.training),
            evidence=[(t, [(c.name, curves.curve(c, t.unit)) for c in t.curves]) for t in report.evidence],
            derived=report.training.derived if report.training is not None else (),
            words=words,
            share=_share,
            heat_scale=_heat_scale(),
        )
    )


def _share(estimate: Estimate | None, beside: Estimate | None = None) -> Chart | None:
    if estimate is None:
        return None
    ticked = None if beside is None or beside.value is None else Floor(mean=beside.value)
    return bars.whisker(dataclasses.replace(estimate, floor=ticked), 0, 1, "main")


def _columns(report: Report) -> list[Column]:
    columns = []
    for info in words.columns(report):
        low, high = bars.common_range(row.metrics[info.name] for row in report.rows if info.name in row.metrics)
        columns.append(Column(info=info, low=low, high=high))
    return columns


def _tiles(report: Report, columns: Sequence[Column], most: int = 4) -> list[Tile]:
    main = next((row for row in report.rows if row.role == "main"), None)
    if main is None:
        return []
    tiles = []
    for column in columns:
        estimate = main.metrics.get(column.info.name)
        if estimate is not None:
            beside = words.floor_sentence(estimate) or _beside(report, column.info.name)
            tiles.append(Tile(label=column.info.label, estimate=estimate, beside=beside))
    # the floor must not fall off the end: a figure that has one is always among the tiles
    floored = [tile for tile in tiles if tile.estimate.floor is not None][:1]
    others = [tile for tile in tiles if tile not in floored]
    return (others[: most - len(floored)] + floored) if floored else others[:most]


def _beside(report: Report, metric: str) -> str:
    said = [
        f"{row.name} {words.number(row.metrics[metric].value)}"
        for row in report.rows
        if metric in row.metrics and row.role in ("baseline", "reference")
    ]
    return "; ".join(said[:1] + said[-1:] if len(said) > 1 else said)


def _shares(confusion: Confusion | None) -> list[list[tuple[int, float]]]:
    if confusion is None:
        return []
    return [[(cell, cell / max(1, sum(row))) for cell in row] for row in confusion.counts]


def _case(case: Case, classes: Sequence[str]) -> CaseView:
    return CaseView(
        case=case,
        picture=plain_uri(case.image),
        overlay=None if case.heat is None else overlay_uri(case.image, case.heat),
        chart=bars.probabilities(case, classes),
    )


def _groups(training: Training | None) -> list[CurveGroup]:
    if training is None:
        return []
    parts = (
        ("Validation, by epoch", "The dashed line marks the chosen epoch.", training.validation, "epoch"),
        ("Parts of the loss", "Each part before its weight.", training.losses, training.unit),
        ("Weights", "What each part is multiplied by.", training.weights, training.unit),
        ("Gradient norms", "How hard each part pulls on the trained weights.", training.gradients, training.unit),
        ("Gradient shares", "Each norm as a share of their sum.", training.shares, training.unit),
    )
    return [_group(training, *part) for part in parts if part[2]]


def _group(training: Training, title: str, sentence: str, lines: tuple[Curve, ...], unit: str) -> CurveGroup:
    chosen = training.chosen_epoch if unit == "epoch" else None
    longest = max(len(line.x) for line in lines)
    if longest > curves.MOST_POINTS:
        sentence += f" Each point is the mean of up to {-(-longest // curves.MOST_POINTS)} neighbours."
    if unit == "epoch" and chosen is None:
        sentence = sentence.replace("The dashed line marks the chosen epoch.", "").strip()
    charts = tuple((words.metric_label(line.name), curves.curve(line, unit, chosen)) for line in lines)
    return CurveGroup(title=title, sentence=sentence, charts=charts)


def _heat_scale() -> str:
    import numpy as np

    stops = colours(np.linspace(0, 1, 9)).round().astype(int).tolist()
    return "linear-gradient(to right, " + ", ".join(f"rgb({r}, {g}, {b})" for r, g, b in stops) + ")"
