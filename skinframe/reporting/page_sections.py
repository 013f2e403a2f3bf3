"""The sections of the report page in order: heading, place, the tests that each may cite, builder and template."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from skinframe.reporting.page_views import (
    case_views,
    confusion_shares,
    curve_groups,
    diagrams,
    heat_scale,
    metric_columns,
    share_chart,
    table_view,
    table_views,
)
from skinframe.reporting.report_schema import Report
from skinframe.reporting.report_values import (
    CALIBRATION,
    CALIBRATION_TEST,
    CLASSWISE_TEST,
    CONFORMAL,
    DECISION,
    DISCRIMINATION,
    DROP_FROM_REFERENCE,
    GROUNDING_TESTS,
    INJECTION,
    LARGEST_GAP,
    NOTHING_ENTERS,
    OUT_OF_DISTRIBUTION,
    RATIONALE_TEST,
    SELECTIVE,
    SUBGROUPS,
    TIERS,
    TIERS_BY_FIELD,
    AddedSection,
    ReportedTest,
)

Values = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class PageSection:
    """One section. `build` returns the template's values, or None where the report has nothing for it.

    `cites` names the tests that the section may cite: every other one is taken out of the report that it is built from.
    `terms` are keys of the glossary, `link` its name in the table of contents (default: the title).
    """

    anchor: str
    title: str
    place: int
    template: str
    build: Callable[[Report], Values | None]
    link: str = ""
    cites: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    clinical: bool = False  # to be read first, by whoever looks at patients


def citing(report: Report, cites: Sequence[str]) -> Report:
    """Return the report without the tests that are not named in `cites`."""
    kept: Report = _without_tests(report, frozenset(cites))
    return kept


def _without_tests(value: Any, cites: frozenset[str]) -> Any:
    if isinstance(value, ReportedTest):
        return value if value.name in cites else None
    if isinstance(value, tuple) and any(dataclasses.is_dataclass(item) for item in value):
        return tuple(kept for kept in (_without_tests(item, cites) for item in value) if kept is not None)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {item.name: getattr(value, item.name) for item in dataclasses.fields(value)}
        return dataclasses.replace(value, **{name: _without_tests(item, cites) for name, item in fields.items()})
    return value


def _results(report: Report) -> Values:
    methods = dict.fromkeys(estimate.method for row in report.rows for estimate in row.metrics.values())
    return {"columns": metric_columns(report), "methods": [method for method in methods if method]}


def _calibration(report: Report) -> Values | None:
    tables = table_views(report, CALIBRATION)
    if not (report.reliability or report.calibration or tables):
        return None
    return {"diagrams": diagrams(report), "tables": tables}


def _classes(report: Report) -> Values | None:
    if report.confusion is None and not report.per_class:
        return None
    return {"confusion": confusion_shares(report.confusion), "share": share_chart}


def _tables(topic: str, report: Report) -> Values | None:
    tables = table_views(report, topic)
    return {"tables": tables} if tables else None


def _cases(report: Report) -> Values | None:
    return {"cases": case_views(report), "heat_scale": heat_scale()} if report.cases else None


def _explanations(report: Report) -> Values | None:
    return {"share": share_chart} if report.rationale or report.grounding or report.explained else None


def _training(report: Report) -> Values | None:
    groups = curve_groups(report.training)
    return {"groups": groups, "derived": report.training.derived if report.training else ()} if groups else None


def _data(report: Report) -> Values | None:
    return {} if report.data else None


def _plan(report: Report) -> Values | None:
    return {} if report.plan or report.notes else None


def _of_topic(topic: str, title: str, place: int, link: str, terms: tuple[str, ...], *cites: str) -> PageSection:
    return PageSection(
        anchor=topic or "further",
        title=title,
        place=place,
        template="evidence.html.j2",
        build=partial(_tables, topic),
        link=link,
        cites=cites,
        terms=terms,
    )


SECTIONS: tuple[PageSection, ...] = (
    PageSection(
        anchor="classes",
        title="Per-class performance",
        place=50,
        clinical=True,
        template="classes.html.j2",
        build=_classes,
        link="Classes",
        terms=("recall", "precision", "auroc"),
    ),
    PageSection(
        anchor="cases",
        title="Example cases",
        place=60,
        template="cases.html.j2",
        build=_cases,
        link="Cases",
        clinical=True,
    ),
    PageSection(
        anchor="explanations",
        title="Explanations: rationales and heat maps",
        place=70,
        clinical=True,
        template="explanations.html.j2",
        build=_explanations,
        link="Explanations",
        cites=(*GROUNDING_TESTS, RATIONALE_TEST),
        terms=("rationale", "lift"),
    ),
    PageSection(
        anchor="results",
        title="Performance on the test set",
        place=100,
        template="results.html.j2",
        build=_results,
        link="Performance",
        terms=("interval", "group", "proper-score", "ece", "floor"),
    ),
    PageSection(
        anchor="calibration",
        title="Calibration",
        place=200,
        template="calibration.html.j2",
        build=_calibration,
        cites=(CALIBRATION_TEST, CLASSWISE_TEST),
        terms=("calibration", "calibrator", "ece", "floor", "proper-score"),
    ),
    _of_topic(
        DISCRIMINATION,
        "Discrimination of the positive classes",
        400,
        "Discrimination",
        ("auroc", "average-precision", "recall"),
    ),
    _of_topic(DECISION, "Decision curves", 500, "", ("net-benefit",)),
    _of_topic(
        SELECTIVE,
        "Selective prediction (abstaining on the least confident)",
        600,
        "Selective prediction",
        ("coverage", "risk", "augrc", "aurc"),
    ),
    _of_topic(
        CONFORMAL,
        "Conformal prediction sets (90 %)",
        700,
        "Conformal sets",
        ("conformal", "lac", "coverage"),
    ),
    _of_topic(SUBGROUPS, "Subgroup performance", 800, "Subgroups", ("holm", "group"), LARGEST_GAP),
    _of_topic(
        TIERS,
        "Performance by distance from the training data",
        900,
        "Distance tiers",
        ("tier", "holm", "group"),
        OUT_OF_DISTRIBUTION,
    ),
    _of_topic(TIERS_BY_FIELD, "Performance by tier", 950, "Tiers", ("holm", "group"), DROP_FROM_REFERENCE),
    _of_topic(INJECTION, "Robustness to injected text", 1000, "Injected text", ("group",), NOTHING_ENTERS),
    # tables of reports that were written before tables had a topic
    _of_topic("", "Further analyses", 1100, "", (), CALIBRATION_TEST, LARGEST_GAP, OUT_OF_DISTRIBUTION, NOTHING_ENTERS),
    PageSection(
        anchor="training",
        title="Training curves",
        place=1400,
        template="training.html.j2",
        build=_training,
        link="Training",
    ),
    PageSection(anchor="data", title="Data and splits", place=1500, template="data.html.j2", build=_data, link="Data"),
    PageSection(anchor="plan", title="Plan and notes", place=1600, template="plan.html.j2", build=_plan),
)


def _added(name: str, report: Report) -> Values:
    section = next(section for section in report.sections if section.name == name)
    return {"added": section, "tables": [table_view(table) for table in section.tables]}


def added(section: AddedSection) -> PageSection:
    """Return a plugin's section, which holds what it shows, as a section of the page."""
    return PageSection(
        anchor=f"added-{section.name}",
        title=section.title,
        place=section.place,
        template="added.html.j2",
        build=partial(_added, section.name),
        cites=section.cites,
    )


def page_sections(report: Report) -> tuple[PageSection, ...]:
    """Return the sections of a report's page in the order of their places; a plugin's follow ours at the same place."""
    return tuple(sorted((*SECTIONS, *map(added, report.sections)), key=lambda section: section.place))
