"""Where predictions to judge come from: a table, a run's own test split, a run on other data."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from skinframe.engine.asked import Options
from skinframe.engine.display import Display
from skinframe.engine.external import predict_external
from skinframe.engine.judged import Judged
from skinframe.engine.reopen import plan_of_run, read_json
from skinframe.errors import DataError, did_you_mean
from skinframe.evaluation.outside import Outside, read_outside
from skinframe.evaluation.predictions import Predictions, read_predictions
from skinframe.sample import Sample
from skinframe.weighted import Floats, Ints

Words = Sequence[str | None]
NOTHING_FITTED = "no calibration table was given (--fit-on): nothing is calibrated and no threshold is set"
NO_PATIENTS = (
    "no patient ids were given, so each row counts as another patient: where patients have several images the intervals"
    " are too narrow"
)
NO_LESIONS = (
    "it is not known which images show the same lesion (for a table: --lesion COLUMN), so the floors of the calibration"
    " errors assume independent diagnoses: where lesions have several images, their p is too small"
)


@dataclass(frozen=True, eq=False)
class Fold:
    """Predictions of other patients: what calibrators are fitted and thresholds chosen on."""

    labels: Ints
    logits: Floats
    groups: Sequence[str]
    name: str
    own: bool = True  # whether these patients chose nothing else, such as the epoch


@dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """Predictions to judge. `rows` are the lines of the results by name, each with its probabilities here and, where
    they are known, on the fold; the page is about the first.
    """

    title: str
    scale: str
    sentence: str
    judged: Judged
    ids: tuple[str, ...]
    logits: Floats
    rows: Mapping[str, tuple[Floats, Floats | None]]
    fold: Fold | None
    fields: Mapping[str, Words]
    fingerprint: str
    level: str = "patient"
    synthetic: bool = False
    warnings: tuple[str, ...] = ()


def of_table(path: Path, options: Options) -> Source:
    """Read a table of another system, and the calibration table beside it. Raises DataError."""
    own = read_outside(path, replace(options.columns, words=options.subgroups))
    fold, there = None, None
    if options.fit_on is not None:
        other = read_outside(options.fit_on, replace(options.columns, numbers=()))
        _apart(own, other)
        fold = Fold(other.labels, other.logits, other.groups, options.fit_on.name)
        there = other.probabilities
    return Source(
        title=own.source,
        scale="outside predictions",
        sentence=f"Predictions of another system, read from {own.source}.",
        judged=_judged(own.classes, own, options, own.numbers),
        ids=own.ids,
        logits=own.logits,
        rows={"as given": (own.probabilities, there)},
        fold=fold,
        fields={name: own.words[name] for name in options.subgroups},
        fingerprint=hashlib.sha256(path.read_bytes()).hexdigest()[:16],
        warnings=(
            *(() if own.grouped else (NO_PATIENTS,)),
            *_unknown_lesions(own),
            *(() if fold is not None else (NOTHING_FITTED,)),
        ),
    )


def of_run(
    run: Path,
    options: Options,
    overrides: Sequence[str],
    plugins: Sequence[Path],
    cache: Path,
    display: Display,
    out: Path,
) -> Source:
    """Take a run's test predictions, or predict the data set that `overrides` name. Raises DataError, RecipeError."""
    valid, classes = read_predictions(run / "predictions" / "valid.parquet")
    saved = read_json(run / "calibrator.json")
    plan = plan_of_run(run, plugins, overrides)
    if overrides:
        own, samples, warnings = predict_external(run, plan, cache, display, out)
        name = f"{plan.recipe.name} on {plan.recipe.data.use}, another data set"
    else:
        own, _ = read_predictions(run / "predictions" / "test.parquet")
        samples, warnings = [], ()
        name = f"{plan.recipe.name} on its own test images"
        if options.subgroups:
            known = {sample.id: sample for sample in plan.parts.dataset.samples()}
            samples = [known[one] for one in own.ids]
    fitted = set(saved.get("fitted_on", valid.ids))
    rows = np.array([one in fitted for one in valid.ids])
    return Source(
        title=name,
        scale=plan.recipe.scale,
        sentence=(plan.parts.dataset.__doc__ or "").strip().splitlines()[0],
        judged=_judged(classes, own, options, {}, plan.recipe.seed),
        ids=own.ids,
        logits=own.logits,
        rows={
            "this run": (own.calibrated, valid.calibrated[rows]),
            "this run, before calibration": (own.probabilities, valid.probabilities[rows]),
        },
        fold=Fold(
            valid.labels[rows],
            valid.logits[rows],
            [group for group, kept in zip(valid.groups, rows, strict=True) if kept],
            "the run's calibration fold",
            bool(saved.get("own_fold", False)),
        ),
        fields=_fields(samples, options.subgroups),
        fingerprint=plan.fingerprint[:16],
        level=plan.parts.dataset.level,
        synthetic=plan.parts.dataset.name.startswith("synthetic"),
        warnings=(*warnings, *_unknown_lesions(own)),
    )


def _judged(
    classes: tuple[str, ...],
    own: Outside | Predictions,
    options: Options,
    columns: Mapping[str, Floats],
    seed: int = 0,
) -> Judged:
    return Judged(
        classes=classes,
        labels=own.labels,
        groups=own.groups,
        seed=seed if options.seed is None else options.seed,
        resamples=options.resamples,
        level=options.level,
        units=own.lesions,
        columns=columns,
    )


def _unknown_lesions(own: Outside | Predictions) -> tuple[str, ...]:
    return (NO_LESIONS,) if own.lesions is None else ()


def _fields(samples: Sequence[Sample], names: Sequence[str]) -> dict[str, Words]:
    """Return recorded fields by name; a number is put into bands of twenty. Raises DataError for one that is none."""
    found: dict[str, Words] = {}
    for name in names:
        known = samples[0].metadata if samples else {}
        if name not in known:
            raise DataError(f"--subgroup {name}: the data set has no such field{did_you_mean(name, known)}")
        found[name] = [_band(sample.metadata.get(name)) for sample in samples]
    return found


def _band(value: str | float | None) -> str | None:
    if not isinstance(value, int | float):
        return value
    low = 20 * int(value // 20)
    return f"{low} to {low + 19}"


def _apart(own: Outside, other: Outside) -> None:
    """Refuse a calibration table that shares a patient with the one to judge, or has other classes."""
    if own.classes != other.classes:
        raise DataError(
            f"{other.source}: its classes are {', '.join(other.classes)}, those of {own.source} are"
            f" {', '.join(own.classes)}; name the same columns in the same order"
        )
    both = set(own.ids) & set(other.ids)
    if own.grouped:
        both |= set(own.groups) & set(other.groups)
    if both:
        raise DataError(
            f"{other.source}: {len(both)} ids or patients stand in {own.source} too, such as '{min(both)}'; calibrate"
            " on patients of their own"
        )
