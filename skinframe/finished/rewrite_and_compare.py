"""Rebuild the report of a finished run; compare finished runs on the same test samples."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

from skinframe.catalog import Catalog
from skinframe.components import Metric
from skinframe.errors import DataError, Problem, RecipeError, did_you_mean
from skinframe.evaluation.hypothesis_tests import Margin
from skinframe.evaluation.predictions import Predictions, read_predictions
from skinframe.finished.csv_export import export_csv
from skinframe.finished.pseudonyms import pseudonyms, with_pseudonyms
from skinframe.judging.model_comparison import aligned, model_tests, score_differences
from skinframe.judging.table_to_compare import table_to_compare
from skinframe.plugins import load
from skinframe.reporting.checklists.checklist import write_documents
from skinframe.reporting.report_files import read_report, write_page
from skinframe.reporting.report_schema import Report
from skinframe.reporting.run_comparison import Comparison, compare, run_names, write_comparison
from skinframe.reporting.run_result import RunResult
from skinframe.running.verify_files import refresh_file

COMPARED = ("balanced_accuracy", "nll", "brier")  # proper scores and the headline; every further test costs power


def rewrite_report(
    run: Path, tables: Path | None = None, key_file: Path | None = None, documents: Path | None = None
) -> RunResult:
    """Rebuild report.html from report.json with the current templates.

    `tables` gets the run's tables as CSV, `documents` the report as Markdown and the checklists. With `key_file` page,
    tables and documents have pseudonyms for ids, under the key in that file. Raises DataError where there is no report.
    """
    report = read_report(run)
    if key_file is not None:
        report = with_pseudonyms(report, run, pseudonyms(key_file))
    write_page(report, run)
    refresh_file(run, "report.html")
    if tables is not None:
        export_csv(run, tables, key_file)
    if documents is not None:
        write_documents(report, run, documents)
    return RunResult(run, report)


def compare_runs(
    runs: Sequence[Path], margins: Mapping[str, float] | None = None, catalog: Catalog | None = None
) -> Comparison:
    """Compare runs, or tables of predictions, on the same test samples: differences, McNemar, DeLong, margins.

    A margin is the largest difference in a metric that does not matter, by the metric's name. p-values are
    Holm-corrected. Writes compare.html beside the first run. Raises DataError where test samples differ, RecipeError
    for fewer than two runs or a margin that is not positive or of an unknown metric.
    """
    if len(runs) < 2:
        raise RecipeError("compare", [Problem("runs", f"expected at least two run folders or tables, got {len(runs)}")])
    metrics, limits = _compared(catalog or load([]), margins or {})
    compared = [_compared_files(run, {name: metrics[name] for name in COMPARED}) for run in runs]
    reports = [report for report, *_ in compared]
    classes = compared[0][2]
    matched = aligned(
        [(str(run), table) for run, (_, table, _) in zip(runs, compared, strict=True)], [one for *_, one in compared]
    )
    names = list(run_names(reports))
    names = names if len(set(names)) == len(names) else [str(run) for run in runs]
    tables = [table for _, table in matched]
    pairs = list(combinations(zip(names, tables, strict=True), 2))
    differences = score_differences(pairs, {name: metrics[name] for name in COMPARED})
    tests = model_tests(pairs, classes, metrics, limits)
    comparison = compare(reports, differences, names, tests)
    write_comparison(comparison, runs[0].parent / "compare.html")
    return comparison


def _compared_files(target: Path, metrics: Mapping[str, Metric]) -> tuple[Report, Predictions, Sequence[str]]:
    """Return the report, predictions and classes of a run folder, or of a table of any system's predictions."""
    if target.is_file():
        return table_to_compare(target, metrics)
    if not target.exists():
        raise DataError(f"{target}: no such run folder or table of predictions")
    return read_report(target), *read_predictions(target / "predictions" / "test.parquet")


def _compared(catalog: Catalog, margins: Mapping[str, float]) -> tuple[dict[str, Metric], list[Margin]]:
    """Return the metrics that are compared and the margins. Raises RecipeError for one that cannot be used."""
    names = catalog.names("metric")
    problems = [
        Problem("--margin", f"no metric named '{name}'{did_you_mean(name, names)}")
        for name in margins
        if name not in names
    ]
    problems += [
        Problem("--margin", f"the margin of {name} must be a positive number, got {size:g}")
        for name, size in margins.items()
        if not 0 < size < math.inf
    ]
    if problems:
        raise RecipeError("compare", problems)
    metrics: dict[str, Metric] = {}
    for name in dict.fromkeys((*COMPARED, *margins)):
        metric = catalog.entries["metric", name].component()
        assert isinstance(metric, Metric)
        metrics[name] = metric
    return metrics, [Margin(metric=name, size=size) for name, size in margins.items()]
