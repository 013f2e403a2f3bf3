"""Sections that plugins add to a run's report, built from its predictions and kept in report.json."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from skinframe.components import PredictedPart, ReportSection, RunData, SectionContent, SectionNumber, SectionTable
from skinframe.evaluation.predictions import Predictions
from skinframe.evaluation.scores_with_intervals import Score
from skinframe.judging.report_estimates import known
from skinframe.predicting.validation_metrics import Outcome
from skinframe.preparing.prepared_data import Prepared
from skinframe.reporting.report_values import AddedSection, Estimate, EvidenceRow, EvidenceTable, ReportedTest


def run_data(prepared: Prepared, outcome: Outcome, scores: Mapping[str, Score]) -> RunData:
    """Return what a section is built from: the predictions of validation and test, and the test metrics."""
    return RunData(
        classes=prepared.plan.parts.dataset.classes,
        valid=_part(prepared, outcome.valid, prepared.split.valid),
        test=_part(prepared, outcome.test, prepared.split.test),
        metrics={name: known(score.value) for name, score in scores.items()},
        seed=prepared.plan.recipe.seed,
    )


def _part(prepared: Prepared, table: Predictions, rows: Sequence[int]) -> PredictedPart:
    return PredictedPart(
        ids=table.ids,
        groups=table.groups,
        labels=table.labels,
        probabilities=table.probabilities,
        calibrated=table.calibrated,
        metadata=tuple(prepared.samples[row].metadata for row in rows),
    )


def added_sections(sections: Iterable[ReportSection], run: RunData) -> tuple[tuple[AddedSection, ...], tuple[str, ...]]:
    """Return the sections that have something to show, and a warning for each that fails.

    A plugin's error costs its section and not the finished run. Tests that a section does not name in `cites` are
    left out.
    """
    built, warnings = [], []
    for section in sections:
        try:
            content = section.build(run)
            if content is not None:
                built.append(_added(section, content))
        except Exception as error:  # a stranger's section may raise anything
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            warnings.append(f"the report section '{section.name}' could not be built ({reason})")
    return tuple(built), tuple(warnings)


def _added(section: ReportSection, content: SectionContent) -> AddedSection:
    return AddedSection(
        name=section.name,
        title=section.title,
        place=section.place,
        cites=tuple(section.cites),
        paragraphs=tuple(content.paragraphs),
        tables=tuple(_table(table) for table in content.tables),
        tests=tuple(
            ReportedTest(name=test.name, passed=test.passed, detail=test.detail)
            for test in content.tests
            if test.name in section.cites
        ),
    )


def _table(table: SectionTable) -> EvidenceTable:
    rows = tuple(EvidenceRow(name=row.name, cells=tuple(map(_cell, row.cells)), note=row.note) for row in table.rows)
    wrong = [row.name for row in rows if len(row.cells) != len(table.head)]
    if wrong:
        raise ValueError(f"row '{wrong[0]}' of table '{table.title}' does not have {len(table.head)} cells")
    return EvidenceTable(name=table.title, sentence=table.sentence, head=tuple(table.head), rows=rows)


def _cell(number: SectionNumber | None) -> Estimate | None:
    if number is None:
        return None
    ends = (None if end is None else known(float(end)) for end in (number.value, number.low, number.high))
    value, low, high = ends
    return Estimate(value=value, low=low, high=high, method=number.method)
