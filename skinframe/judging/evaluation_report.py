"""From predictions to a report page: rows with intervals, diagrams, and the further tables that were asked for."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from skinframe.atomic_write import write_json
from skinframe.components import Calibrator, Metric
from skinframe.evaluation.scores_with_intervals import Score
from skinframe.evaluation.softmax import softmax
from skinframe.judging.evaluation_options import EvaluationOptions
from skinframe.judging.evidence.calibration_table import Method, calibration_table
from skinframe.judging.evidence.decision_tables import positive_tables
from skinframe.judging.evidence.distance_table import tier_table
from skinframe.judging.evidence.selective_and_conformal import selective_table, sets_table
from skinframe.judging.evidence.subgroup_tables import subgroup_tables
from skinframe.judging.paired_references import reference_differences, screening_table
from skinframe.judging.prediction_figures import JudgedSamples, class_rows_of, confusion_of, reliability_of
from skinframe.judging.prediction_source import PredictionSource, Reference, Tiers
from skinframe.judging.report_estimates import estimate, infos, plain, said
from skinframe.predicting.output_folder import make_ready
from skinframe.reporting.claims import shift_warnings
from skinframe.reporting.report_files import write_report
from skinframe.reporting.report_schema import Data, Headline, Report
from skinframe.reporting.report_values import Difference, EvidenceTable, ResultRow
from skinframe.version import __version__
from skinframe.weighted_statistics import Floats


def assess(
    source: PredictionSource,
    metrics: Mapping[str, Metric],
    calibrators: Mapping[str, Calibrator],
    options: EvaluationOptions,
    out: Path,
) -> Report:
    """Judge a source, write metrics.json, calibrators.json, report.json and report.html, and return the report.

    Raises DataError, DiskError.
    """
    make_ready(out)
    judged, (first, *_) = source.judged, source.rows
    main = source.rows[first][0]
    scores = {name: _scored(source, metrics, *row) for name, row in source.rows.items()}
    beside = {name: _scored(source, metrics, table, None) for name, _, _, table, _ in source.references}
    fold = source.fold
    fitted = {} if fold is None else {name: one.fit(fold.logits, fold.labels) for name, one in calibrators.items()}
    after = {name: calibrators[name].apply(source.logits, parameters) for name, parameters in fitted.items()}
    report = Report(
        headline=headline_of(source),
        classes=judged.classes,
        rows=(
            *(result_row(name, found, name == first) for name, found in scores.items()),
            *(_reference(row, beside[row[0]]) for row in source.references),
        ),
        metrics=infos(metrics),
        level=judged.level,
        warnings=(*source.warnings, *said(scores[first])),
        reliability=tuple(reliability_of(judged, n, p, scores[n].get("ece")) for n, (p, _) in source.rows.items()),
        confusion=confusion_of(judged, main),
        per_class=class_rows_of(judged, main, _counts(source), source.class_titles),
        data=Data(name=source.title, synthetic=source.synthetic, sentence=source.sentence),
        evidence=_evidence(source, main, after, options),
        class_titles=source.class_titles,
        trained_on=source.trained_on,
        differences=_differences(source, first),
    )
    report = replace(report, warnings=(*report.warnings, *shift_warnings(report)))
    write_json(out / "metrics.json", {name: plain(found) for name, found in scores.items()})
    if fold is not None:
        write_json(out / "calibrators.json", {"version": __version__, "fitted_on": fold.name, "parameters": fitted})
    write_report(report, out)
    return report


def _differences(source: PredictionSource, first: str) -> tuple[Difference, ...]:
    main = source.rows[first][0]
    others = [(name, table) for name, (table, _) in source.rows.items() if name != first]
    others += [(name, table) for name, _, role, table, _ in source.references if role != "reference"]
    return reference_differences(source.judged, (first, main), others)


def _reference(row: Reference, found: Mapping[str, Score]) -> ResultRow:
    name, note, role, *_ = row
    return ResultRow(name=name, note=note, role=role, metrics={metric: estimate(one) for metric, one in found.items()})


def _scored(
    source: PredictionSource, metrics: Mapping[str, Metric], here: Floats, on_fold: Floats | None
) -> dict[str, Score]:
    judged, fold = source.judged, source.fold
    chosen_on = None if fold is None or on_fold is None else (fold.labels, on_fold)
    return judged.scored(metrics, here, chosen_on)


def _evidence(
    source: PredictionSource, main: Floats, after: Mapping[str, Floats], options: EvaluationOptions
) -> tuple[EvidenceTable, ...]:
    judged, fold = source.judged, source.fold
    methods = [
        *(Method(name, p) for name, (p, _) in source.rows.items()),
        *(Method(f"after {name.replace('_', ' ')}", p) for name, p in after.items()),
    ]
    # sets are made of probabilities that no calibrator has bent to the very fold that sets their thresholds
    raw = softmax(source.logits)
    known = None if fold is None else (fold.labels, softmax(fold.logits), fold.groups)
    sets = sets_table(judged, raw, known, own=fold is None or fold.own)
    looked_for, word = (options.positive, "positive") if options.positive else (source.malignant, "malignant")
    screening = screening_table(judged, main, looked_for, source.class_titles, word=word)
    asked: tuple[EvidenceTable, ...] = () if screening is None else (screening,)
    if options.positive or len(judged.classes) == 2:
        rows = {
            name: (p, None if fold is None or q is None else (fold.labels, q)) for name, (p, q) in source.rows.items()
        }
        low, high = options.thresholds
        positive = options.positive
        tables = positive_tables(judged, rows, positive, prevalence=options.prevalence, low=low, high=high)
        asked = (*asked, *tables)
    return (
        *asked,
        calibration_table(judged, methods),
        selective_table(judged, main),
        *(() if sets is None else (sets,)),
        *(() if source.tiers is None else (_by_tier(source.tiers, judged),)),
        *subgroup_tables(judged, main, source.fields),
    )


def _by_tier(tiers: Tiers, judged: JudgedSamples) -> EvidenceTable:
    return tier_table(tiers, seed=judged.seed, resamples=judged.resamples, level=judged.level)


def result_row(name: str, found: Mapping[str, Score], main: bool) -> ResultRow:
    """Return scores as a line of the results."""
    estimates = {metric: estimate(value) for metric, value in found.items()}
    return ResultRow(name=name, metrics=estimates, role="main" if main else "variant")


def _counts(source: PredictionSource) -> dict[str, dict[str, int | None]]:
    """Return the images per class: here, and of the calibration fold where one is known. Those of training are not."""
    classes, labels = source.judged.classes, source.judged.labels
    here = {name: int((labels == c).sum()) for c, name in enumerate(classes)}
    fold = source.fold
    valid = {name: None if fold is None else int((fold.labels == c).sum()) for c, name in enumerate(classes)}
    return {"train": dict.fromkeys(classes, None), "valid": valid, "test": dict(here)}


def headline_of(source: PredictionSource) -> Headline:
    """Return who, what and how large, for predictions that nothing here trained."""
    judged = source.judged
    return Headline(
        name=source.title,
        scale=source.scale,
        device=f"CPU ({platform.machine()})",
        date=datetime.now(UTC).date().isoformat(),
        version=__version__,
        fingerprint=source.fingerprint,
        seed=judged.seed,
        n_train=0,
        n_valid=0 if source.fold is None else len(source.fold.labels),
        n_test=len(judged.labels),
        groups_train=0,
        groups_valid=0 if source.fold is None else len(set(source.fold.groups)),
        groups_test=len(set(judged.groups)),
        group_level=source.level,
        epochs=0,
    )
