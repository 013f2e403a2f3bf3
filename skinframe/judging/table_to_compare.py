"""A table of another system's predictions as `compare` reads a run: its figures, and its predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from skinframe.components import Metric
from skinframe.evaluation.external_predictions import TableColumns
from skinframe.evaluation.predictions import Predictions
from skinframe.judging.evaluation_options import EvaluationOptions
from skinframe.judging.evaluation_report import headline_of, result_row
from skinframe.judging.report_estimates import infos, said
from skinframe.judging.table_predictions import of_table
from skinframe.reporting.report_schema import Report


def table_to_compare(path: Path, metrics: Mapping[str, Metric]) -> tuple[Report, Predictions, Sequence[str]]:
    """Return the figures of a table in these metrics, its predictions and its classes; columns are guessed.

    Without a patient column each row counts as another patient, which the report's warnings say. Raises DataError.
    """
    source = of_table(path, EvaluationOptions(columns=TableColumns(patients="if there")))
    (name, (probabilities, _)), *_ = source.rows.items()
    judged = source.judged
    scores = judged.scored(metrics, probabilities)
    report = Report(
        headline=headline_of(source),
        classes=judged.classes,
        rows=(result_row(name, scores, True),),
        metrics=infos(metrics),
        warnings=(*source.warnings, *said(scores)),
    )
    units = None if judged.units is None else tuple(judged.units)
    predictions = Predictions(
        source.ids, tuple(judged.groups), judged.labels, source.logits, probabilities, probabilities, units
    )
    return report, predictions, judged.classes
