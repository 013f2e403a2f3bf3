"""Judge what was run: reports, comparisons, other data, new images.

Each function imports what it needs when it is called.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skinframe.predicting.predict_images import Predictions
    from skinframe.reporting.compare import Comparison
    from skinframe.reporting.run_result import RunResult

Paths = Sequence[str | Path]


def report(
    run: str | Path,
    *,
    csv: str | Path | None = None,
    pseudonyms: str | Path | None = None,
    documents: str | Path | None = None,
) -> RunResult:
    """Write a finished run's page again from report.json, and return the result.

    `csv` is a folder for its figures and predictions as CSV, `documents` one for report.md, a model card, a data sheet
    and checklists; `pseudonyms` the file of a key, made where there is none, under which all three and the page have
    hashes for ids. Raises DataError, DiskError.
    """
    from skinframe.finished.rewrite_and_compare import rewrite_report

    tables, key, papers = (None if place is None else Path(place) for place in (csv, pseudonyms, documents))
    return rewrite_report(Path(run), tables, key, papers)


def compare(*runs: str | Path) -> Comparison:
    """Compare finished runs on the same test samples. Raises DataError where the samples differ."""
    from skinframe.finished.rewrite_and_compare import compare_runs

    return compare_runs([Path(run) for run in runs])


def evaluate(
    target: str | Path,
    *,
    out: str | Path | None = None,
    overrides: Sequence[str] = (),
    cache: str | Path | None = None,
    plugins: Paths = (),
    requires: Sequence[str] = (),
    id: str = "id",
    group: str | None = "group",
    label: str = "label",
    lesion: str | None = None,
    classes: Mapping[str, str] | None = None,
    rest: str = "rest",
    logits: bool = False,
    numbers: Sequence[str] = (),
    fit_on: str | Path | None = None,
    metrics: Sequence[str] = (),
    positive: Sequence[str] = (),
    prevalence: float | None = None,
    thresholds: tuple[float, float] = (0.02, 0.2),
    subgroups: Sequence[str] = (),
    tier: tuple[str, str] | None = None,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int | None = None,
    quiet: bool = False,
) -> RunResult:
    """Judge a finished run, a run on other data, or a table of any other system's predictions.

    The arguments are those of `skinframe evaluate`; `group=None` says that each row is another patient. Raises
    DataError where a table or data set is not usable as it stands, RecipeError where the request does not hold.
    """
    from skinframe.evaluation.external_predictions import TableColumns
    from skinframe.judging.evaluate_predictions import evaluate as judge
    from skinframe.judging.evaluation_options import EvaluationOptions
    from skinframe.progress import Display

    columns = TableColumns(
        id=id,
        group=group or "",
        label=label,
        lesion=lesion or "",
        classes=classes or {},
        rest=rest,
        logits=logits,
        numbers=tuple(numbers),
    )
    options = EvaluationOptions(
        metrics=tuple(metrics),
        positive=tuple(positive),
        prevalence=prevalence,
        thresholds=thresholds,
        subgroups=tuple(subgroups),
        tier=tier,
        resamples=resamples,
        level=level,
        seed=seed,
        columns=columns,
        fit_on=None if fit_on is None else Path(fit_on),
        requires=tuple(requires),
    )
    return judge(
        Path(target),
        options,
        out=None if out is None else Path(out),
        overrides=overrides,
        plugins=[Path(file) for file in plugins],
        cache=None if cache is None else Path(cache),
        display=Display(quiet),
    )


def predict(
    run: str | Path,
    images: Paths,
    *,
    metadata: Mapping[str, str] | None = None,
    out: str | Path | None = None,
    plugins: Paths = (),
    allow_burned_in: bool = False,
) -> Predictions:
    """Return probabilities, rationale and heat map for new images, JPEG, PNG or DICOM.

    `allow_burned_in` takes DICOM files that do not say that no text is in their pixels. Raises DataError, RecipeError.
    """
    from skinframe.predicting.predict_images import predict as forward

    folder = Path(out) if out is not None else None
    files = [Path(file) for file in plugins]
    return forward(Path(run), [Path(image) for image in images], metadata, folder, files, allow_burned_in)
