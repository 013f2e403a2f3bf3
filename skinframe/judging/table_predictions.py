"""Predictions of another system, read from a table."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from skinframe.errors import DataError
from skinframe.evaluation.baselines import prior
from skinframe.evaluation.external_predictions import ExternalPredictions, read_external
from skinframe.judging.evaluation_options import EvaluationOptions
from skinframe.judging.prediction_source import Fold, PredictionSource, Reference, judged_of, tiers_of, unknown_lesions

NOTHING_FITTED = "no calibration table was given (--fit-on): nothing is calibrated and no threshold is set"
NO_PATIENTS = (
    "no patient ids were given, so each row counts as another patient: where patients have several images the intervals"
    " are too narrow"
)


def of_table(path: Path, options: EvaluationOptions) -> PredictionSource:
    """Read a table of another system, and the calibration table beside it. Raises DataError."""
    words = (*options.subgroups, *(options.tier or ())[:1])
    own = read_external(path, replace(options.columns, words=words))
    fold, there = None, None
    if options.fit_on is not None:
        other = read_external(options.fit_on, replace(options.columns, numbers=()))
        _apart(own, other)
        fold = Fold(other.labels, other.logits, other.groups, options.fit_on.name)
        there = other.probabilities
    uniform = np.full(own.probabilities.shape, 1 / len(own.classes))
    references: list[Reference] = [("uniform guess", "the same probability for every class", "baseline", uniform, None)]
    if fold is not None:
        shares = prior(fold.labels, len(own.classes), len(own.labels))
        references.append(("class prior", f"class shares of {fold.name}", "baseline", shares, None))
    return PredictionSource(
        title=own.source,
        scale="outside predictions",
        sentence=f"Predictions of another system, read from {own.source}.",
        judged=judged_of(own.classes, own, options, own.numbers),
        ids=own.ids,
        logits=own.logits,
        rows={"as given": (own.probabilities, there)},
        fold=fold,
        fields={name: own.words[name] for name in options.subgroups},
        tiers=options.tier and tiers_of(options.tier, own.words[options.tier[0]], own, own.probabilities),
        references=tuple(references),
        fingerprint=fingerprint_of(path),
        warnings=(
            *_read_as(own),
            *(() if own.grouped else (NO_PATIENTS,)),
            *unknown_lesions(own),
            *(() if fold is not None else (NOTHING_FITTED,)),
        ),
    )


def _read_as(own: ExternalPredictions) -> tuple[str, ...]:
    """Say which columns were guessed, and whether rounded rows were scaled."""
    guessed = f"columns were guessed: {' '.join(own.guesses)}; name them if one is wrong"
    scaled = f"probabilities are rounded to {own.scaled} digits; each row was scaled to sum to 1"
    return (*((guessed,) if own.guesses else ()), *((scaled,) if own.scaled else ()))


def fingerprint_of(path: Path) -> str:
    """Return what tells a table from another: 16 hex digits of its SHA-256."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def _apart(own: ExternalPredictions, other: ExternalPredictions) -> None:
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
