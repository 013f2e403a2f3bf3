"""What can be done with finished runs: show a report again, compare runs on the same test samples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np

from skinframe.catalog import Catalog
from skinframe.components import Metric
from skinframe.errors import DataError, Problem, RecipeError
from skinframe.evaluation.hypothesis_tests import holm
from skinframe.evaluation.predictions import Predictions, read_predictions
from skinframe.evaluation.scores import paired_difference
from skinframe.finished.csv_export import export_csv
from skinframe.finished.pseudonymous_report import disguised
from skinframe.finished.pseudonyms import pseudonyms
from skinframe.judging.report_estimates import estimate, known
from skinframe.plugins import load
from skinframe.reporting.checklists.checklist import write_documents
from skinframe.reporting.compare import Comparison, Difference, compare, run_names, write_comparison
from skinframe.reporting.run_result import RunResult
from skinframe.reporting.write import read_report, write_page

COMPARED = ("balanced_accuracy", "nll", "brier")  # proper scores and the headline; every further test costs power


def rewrite_report(
    run: Path, tables: Path | None = None, key_file: Path | None = None, documents: Path | None = None
) -> RunResult:
    """Write report.html again from report.json, with today's templates.

    `tables` gets the run's tables as CSV, `documents` the report as Markdown and the checklists. With `key_file` page,
    tables and documents have pseudonyms for ids, under the key in that file. Raises DataError where there is no report.
    """
    report = read_report(run)
    if key_file is not None:
        report = disguised(report, run, pseudonyms(key_file))
    write_page(report, run)
    if tables is not None:
        export_csv(run, tables, key_file)
    if documents is not None:
        write_documents(report, run, documents)
    return RunResult(run, report)


def compare_runs(runs: Sequence[Path], catalog: Catalog | None = None) -> Comparison:
    """Compare finished runs; differences are paired by test sample and resampled by group, p-values Holm-adjusted.

    Writes compare.html beside the first run. Raises DataError where test samples differ, RecipeError for
    fewer than two runs.
    """
    if len(runs) < 2:
        raise RecipeError("compare", [Problem("runs", f"expected at least two run folders, got {len(runs)}")])
    reports = [read_report(run) for run in runs]
    tables = [read_predictions(run / "predictions" / "test.parquet")[0] for run in runs]
    names = list(run_names(reports))
    names = names if len(set(names)) == len(names) else [str(run) for run in runs]
    for run, table in zip(runs, tables, strict=True):
        if table.ids != tables[0].ids or not np.array_equal(table.labels, tables[0].labels):
            raise DataError(f"{run}: was tested on other samples than {runs[0]}; only runs on the same split compare")
    metrics = (catalog or load([])).entries
    found = [
        _difference(name, metrics["metric", name].component(), (names[i], tables[i]), (names[j], tables[j]))
        for i, j in combinations(range(len(runs)), 2)
        for name in COMPARED
    ]
    comparison = compare(reports, _adjusted(found), names)
    write_comparison(comparison, runs[0].parent / "compare.html")
    return comparison


def _difference(
    name: str, metric: object, first: tuple[str, Predictions], second: tuple[str, Predictions]
) -> Difference:
    assert isinstance(metric, Metric)
    a, b = first[1], second[1]
    found = paired_difference(metric, a.labels, a.calibrated, b.calibrated, a.groups, seed=0)
    return Difference(first=first[0], second=second[0], metric=name, estimate=estimate(found), p_value=known(found.p))


def _adjusted(differences: Sequence[Difference]) -> list[Difference]:
    """Return the differences with p-values adjusted for how many there are (Holm 1979)."""
    corrected = holm([math.nan if one.p_value is None else one.p_value for one in differences])
    return [replace(one, adjusted=known(float(p))) for one, p in zip(differences, corrected, strict=True)]
