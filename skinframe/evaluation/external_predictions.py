"""Predictions of any other system: a CSV or Parquet table, its columns mapped, every error named by line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from skinframe.data.problem_list import listing
from skinframe.errors import DataError, did_you_mean
from skinframe.evaluation.column_guess import TableColumns as TableColumns
from skinframe.evaluation.column_guess import guess_columns
from skinframe.evaluation.prediction_file import PredictionFile, read_prediction_file
from skinframe.evaluation.softmax import log_softmax, softmax_in_order
from skinframe.weighted_statistics import Floats, Ints

T = TypeVar("T")
SUM_WITHIN = 1e-3  # rows of probabilities that were rounded to three digits still pass
INSIDE_WITHIN = 1e-6  # single precision leaves [0, 1] by this much
DIGITS = (2, 3, 4)  # a table rounded to so many digits misses 1 by half a unit a class


@dataclass(frozen=True, eq=False)
class ExternalPredictions:
    """Predictions as they were read: labels [N], logits and probabilities [N, C], and the columns that were kept."""

    source: str
    classes: tuple[str, ...]
    ids: tuple[str, ...]
    groups: tuple[str, ...]
    labels: Ints
    logits: Floats
    probabilities: Floats
    numbers: Mapping[str, Floats]
    words: Mapping[str, tuple[str | None, ...]]
    grouped: bool
    lesions: tuple[str, ...] | None = None
    guesses: tuple[str, ...] = ()
    scaled: int = 0


def read_external(path: Path, columns: TableColumns) -> ExternalPredictions:
    """Read a table. Raises DataError with every column, id, group, label and probability that is not usable."""
    file = read_prediction_file(path)
    columns, guesses, problems = guess_columns(file, columns)
    if problems:
        raise _together(path, problems)
    errors: list[str] = []

    def kept(read: Callable[[], T], otherwise: T) -> T:
        try:
            return read()
        except DataError as error:
            errors.append(str(error))
            return otherwise

    empty: list[str] = []
    ids = kept(lambda: _unique(file, file.texts(columns.id), columns.id), empty)
    rows = [f"row {i}" for i in range(len(file))]
    groups = kept(lambda: file.texts(columns.group), empty) if columns.group else rows
    truth = kept(lambda: file.texts(columns.label), empty)
    scores = kept(lambda: _scores(file, columns), None)
    numbers = {name: kept(lambda name=name: file.numbers(name), np.zeros(0)) for name in columns.numbers}  # type: ignore[misc]
    classes = tuple(columns.classes) if len(columns.classes) > 1 else (columns.rest, *columns.classes)
    labels = kept(lambda: _labels(file, truth, classes), np.zeros(0, dtype=np.int64))
    if errors or scores is None:
        raise DataError(errors[0]) if len(errors) == 1 else _together(path, errors)
    return ExternalPredictions(
        source=path.name,
        classes=classes,
        ids=tuple(ids),
        groups=tuple(groups),
        labels=labels,
        logits=scores.logits,
        probabilities=scores.probabilities,
        numbers=numbers,
        words={name: file.words(name) for name in columns.words},
        grouped=bool(columns.group),
        lesions=_lesions(file, columns, ids, groups) if columns.lesion else None,
        guesses=tuple(guesses),
        scaled=scores.scaled,
    )


def _together(path: Path, problems: Sequence[str]) -> DataError:
    """Return one error with every problem; a single one on the line of the file."""
    prefix = f"{path}, "
    said = [problem.removeprefix(prefix).removeprefix(f"{path}: ") for problem in problems]
    return DataError(f"{path}: {said[0]}" if len(said) == 1 else listing(str(path), said))


def _labels(file: PredictionFile, truth: Sequence[str], classes: Sequence[str]) -> Ints:
    place = {name: c for c, name in enumerate(classes)}
    strange = [(row, name) for row, name in enumerate(truth) if name not in place]
    if strange:
        hint = did_you_mean(strange[0][1], classes)
        raise file.error(strange[0][0], f"label '{strange[0][1]}' is none of the classes{hint}", len(strange))
    return np.array([place[name] for name in truth], dtype=np.int64)


def _lesions(file: PredictionFile, columns: TableColumns, ids: Sequence[str], groups: Sequence[str]) -> tuple[str, ...]:
    """Name each row's lesion by its patient too, since two patients may each have a lesion 1."""
    patients = groups if columns.group else [""] * len(ids)
    named = zip(ids, patients, file.words(columns.lesion), strict=True)
    return tuple(f"image:{row}" if lesion is None else f"lesion:{patient}:{lesion}" for row, patient, lesion in named)


def _unique(file: PredictionFile, ids: list[str], column: str) -> list[str]:
    first: dict[str, int] = {}
    for row, name in enumerate(ids):
        if first.setdefault(name, row) != row:
            count = len(ids) - len(set(ids))
            what = (
                f"id '{name}' of column '{column}' stood in {file.where(first[name])} already; each sample counts once"
            )
            raise file.error(row, what, count)
    return ids


@dataclass(frozen=True, eq=False)
class _Scores:
    logits: Floats
    probabilities: Floats
    scaled: int = 0  # digits of rounded rows that were scaled to sum to 1, 0 none


def _scores(file: PredictionFile, columns: TableColumns) -> _Scores:
    """Return logits and probabilities of all classes; a single column gets its complement."""
    names = list(columns.classes)
    values = np.stack([file.numbers(column) for column in columns.classes.values()], axis=1)
    one = len(names) == 1
    if columns.logits:
        if _probabilities(values):
            what = "the columns hold probabilities (all in [0, 1]" + ("" if one else ", rows sum to 1")
            raise DataError(f"{file.path}: {what}); leave out --logits")
        logits = np.hstack([0 * values, values]) if one else values
        return _Scores(logits, softmax_in_order(logits))
    for column, name in enumerate(names):
        what = f"the probability of '{name}' must be in [0, 1] (are these logits? say --logits)"
        inside = file.checked(values[:, column], what, lambda p: (p >= -INSIDE_WITHIN) & (p <= 1 + INSIDE_WITHIN))
        values[:, column] = np.clip(inside, 0.0, 1.0)
    if one:
        values = np.hstack([1 - values, values])
    digits = next((d for d in DIGITS if np.allclose(values * 10**d, np.round(values * 10**d), atol=1e-6)), 0)
    within = max(SUM_WITHIN, values.shape[1] * 0.5 * 10.0**-digits if digits else 0.0) + 1e-9
    what = f"the probabilities of {', '.join(names)} must sum to 1 (a class is missing, or they are logits)"
    total = file.checked(values.sum(axis=1), what, lambda total: abs(total - 1) <= within)
    scaled = bool((abs(total - 1) > SUM_WITHIN).any())
    if scaled:
        values = values / total[:, None]
    smallest = float(np.finfo(np.float64).tiny)
    return _Scores(log_softmax(np.log(np.maximum(values, smallest))), values, digits if scaled else 0)


def _probabilities(values: Floats) -> bool:
    """Say whether columns that are called logits are probabilities: all in [0, 1] and, of several, rows sum to 1."""
    inside = bool(((values >= 0) & (values <= 1)).all())
    return inside and (values.shape[1] == 1 or bool((abs(values.sum(axis=1) - 1) <= SUM_WITHIN).all()))
