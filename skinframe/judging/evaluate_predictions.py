"""Judge predictions, whoever made them: a finished run, a run on another data set, or a table of any other system."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from skinframe.catalog import Catalog
from skinframe.components import BinaryMetric, Calibrator, Metric
from skinframe.errors import Problem, RecipeError
from skinframe.evaluation.column_guess import TableColumns
from skinframe.judging.evaluation_options import EvaluationOptions
from skinframe.judging.evaluation_report import assess
from skinframe.judging.run_predictions import of_run
from skinframe.judging.table_predictions import fingerprint_of, of_table
from skinframe.planning.resolve_components import default_metrics
from skinframe.plugins import load
from skinframe.progress import Display
from skinframe.reporting.report_files import read_report
from skinframe.reporting.run_result import RunResult

TABLE_OPTIONS = {
    "id": "--id",
    "group": "--group",
    "label": "--label",
    "lesion": "--lesion",
    "classes": "--class",
    "rest": "--rest",
    "logits": "--logits",
    "numbers": "--number",
}


def evaluate(
    target: Path,
    options: EvaluationOptions,
    *,
    out: Path | None = None,
    overrides: Sequence[str] = (),
    plugins: Sequence[Path] = (),
    cache: Path | None = None,
    display: Display | None = None,
) -> RunResult:
    """Judge a run folder or a table and write report.html, report.json and metrics.json into `out`, by default
    evaluations/NAME.

    `overrides` lay `data.…` paths over the run's recipe: another data set, which the chosen checkpoint then predicts.
    Raises DataError where the data are not usable as they stand, RecipeError where the request does not hold.
    """
    out = out or _default_folder(target, overrides)
    if target.is_dir():
        _refuse_table_options(target, options)
        source = of_run(target, options, overrides, plugins, cache or out / ".cache", display or Display(), out)
    elif overrides:
        what = "only a run can predict other data; a table is judged as it is"
        raise RecipeError(str(target), [Problem("--set", what)])
    else:
        source = of_table(target, options)
    catalog = load(options.requires, plugins, str(target))
    report = assess(source, metrics_of(catalog, options), calibrators_of(catalog), options, out)
    return RunResult(out, report)


def _refuse_table_options(run: Path, options: EvaluationOptions) -> None:
    """Raise RecipeError naming every option that says how a table is read: a run's own files say so themselves."""
    usual = TableColumns()
    given = [name for name in TABLE_OPTIONS if getattr(options.columns, name) != getattr(usual, name)]
    names = [TABLE_OPTIONS[name] for name in given] + (["--fit-on"] if options.fit_on is not None else [])
    what = "is for a table of predictions; a run is calibrated on its own validation images, and its columns are known"
    if names:
        raise RecipeError(str(run), [Problem(name, what) for name in names])


def _default_folder(target: Path, overrides: Sequence[str]) -> Path:
    """Return evaluations/NAME; with a hash behind it for other data, and where NAME holds another file's evaluation."""
    name = target.stem
    if overrides:
        name += f"-{hashlib.sha256(chr(10).join(overrides).encode()).hexdigest()[:8]}"
    folder = Path("evaluations") / name
    if target.is_file() and (folder / "report.json").is_file():
        digest = fingerprint_of(target)
        if read_report(folder).headline.fingerprint != digest:
            return Path("evaluations") / f"{name}-{digest[:8]}"
    return folder


def metrics_of(catalog: Catalog, options: EvaluationOptions) -> dict[str, Metric]:
    """Return the default metrics and those asked for, about the positive classes where they ask for some.

    Raises RecipeError for a name that is none.
    """
    found: dict[str, Metric] = {}
    for name in dict.fromkeys((*default_metrics(catalog), *options.metrics)):
        try:
            kind = catalog.find("metric", name).component
        except LookupError as error:
            what = f"{error}; a plugin's metrics need --requires PLUGIN"
            raise RecipeError("evaluate", [Problem("--metric", what)]) from error
        asks = issubclass(kind, BinaryMetric) and options.positive
        made = kind(kind.Config(positive=options.positive)) if asks else kind()
        assert isinstance(made, Metric)
        found[name] = made
    return found


def calibrators_of(catalog: Catalog) -> dict[str, Calibrator]:
    """Return every calibrator that is fitted to something."""
    made = {name: catalog.entries["calibrator", name].component() for name in catalog.names("calibrator")}
    return {name: one for name, one in made.items() if isinstance(one, Calibrator) and name != "none"}
