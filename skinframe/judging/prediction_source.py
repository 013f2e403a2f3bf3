"""Predictions to judge, wherever they come from: what an evaluation is told of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from skinframe.errors import DataError, did_you_mean
from skinframe.evaluation.external_predictions import ExternalPredictions
from skinframe.evaluation.predictions import Predictions
from skinframe.judging.evaluation_options import EvaluationOptions
from skinframe.judging.prediction_figures import JudgedSamples
from skinframe.weighted_statistics import Floats, Ints

Words = Sequence[str | None]
# name, note, role, probabilities [N, C] here, and those of validation where the row was fitted to something
Reference = tuple[str, str, str, Floats, Floats | None]
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
class Tiers:
    """Samples by tier; `reference` is the tier that the others are compared with.

    `by_distance` says that the tiers are distances from the training data and the reference is in distribution. A
    recorded field says nothing of that.
    """

    title: str
    names: Words
    reference: str
    labels: Ints
    probabilities: Floats
    groups: Sequence[str]
    by_distance: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class PredictionSource:
    """Predictions to judge. `rows` are the lines of the results by name, each with its probabilities here and, where
    they are known, on the fold; the page is about the first.
    """

    title: str
    scale: str
    sentence: str
    judged: JudgedSamples
    ids: tuple[str, ...]
    logits: Floats
    rows: Mapping[str, tuple[Floats, Floats | None]]
    fold: Fold | None
    fields: Mapping[str, Words]
    tiers: Tiers | None
    fingerprint: str
    level: str = "patient"
    synthetic: bool = False
    warnings: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()  # other rows on the same samples
    malignant: tuple[str, ...] = ()
    class_titles: Mapping[str, str] = field(default_factory=dict)
    trained_on: str = ""
    external: bool = False  # a run on another data set than its own


def judged_of(
    classes: tuple[str, ...],
    own: ExternalPredictions | Predictions,
    options: EvaluationOptions,
    columns: Mapping[str, Floats],
    seed: int = 0,
) -> JudgedSamples:
    """Return predictions as they are judged: with the seed that was asked for, else `seed`."""
    return JudgedSamples(
        classes=classes,
        labels=own.labels,
        groups=own.groups,
        seed=seed if options.seed is None else options.seed,
        resamples=options.resamples,
        level=options.level,
        units=own.lesions,
        columns=columns,
    )


def unknown_lesions(own: ExternalPredictions | Predictions) -> tuple[str, ...]:
    """Return the warning of predictions whose lesions are not known."""
    return (NO_LESIONS,) if own.lesions is None else ()


def tiers_of(
    asked: tuple[str, str], names: Words, own: ExternalPredictions | Predictions, probabilities: Floats
) -> Tiers:
    """Return samples by the tiers of a column. Raises DataError where none is of the reference."""
    column, reference = asked
    if reference not in names:
        known = sorted({name for name in names if name is not None})
        raise DataError(f"--tier {column}={reference}: no row has that value{did_you_mean(reference, known)}")
    return Tiers(
        title=column,
        names=names,
        reference=reference,
        labels=own.labels,
        probabilities=probabilities,
        groups=own.groups,
    )
