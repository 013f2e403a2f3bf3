"""Predictions of any other system: a CSV or Parquet table, its columns mapped, every error named by line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from skinframe.errors import DataError, did_you_mean
from skinframe.evaluation.softmax import log_softmax, softmax
from skinframe.weighted_statistics import Floats, Ints

if TYPE_CHECKING:
    import pyarrow as pa


PREFIXES = ("calibrated:", "probability:", "logit:")  # as our own tables name a class's columns
SUM_WITHIN = 1e-3  # rows of probabilities that were rounded to three digits still pass


@dataclass(frozen=True, kw_only=True)
class TableColumns:
    """Which column is which. `classes` maps a class to its column; empty takes columns such as 'probability:nevus'.

    One class alone is a score of yes or no; its complement is called `rest`. `group` is the patient, "" where every row
    is another one. `lesion` names what has one diagnosis, however often it was photographed, "" where unknown; a row
    without one stands for itself. `numbers` and `words` are columns to keep: weights of rows, fields to compare by.
    """

    id: str = "id"
    group: str = "group"
    label: str = "label"
    lesion: str = ""
    classes: Mapping[str, str] = field(default_factory=dict)
    rest: str = "rest"
    logits: bool = False
    numbers: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


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


def read_external(path: Path, columns: TableColumns) -> ExternalPredictions:
    """Read a table. Raises DataError for a column, id, group, label or probability that is not usable."""
    table = _table(path)
    if not len(table):
        raise DataError(f"{path}: holds no row; expected one a sample")
    mapping = dict(columns.classes) or _own(table, columns.logits)
    needed = [columns.id, columns.label, *filter(None, (columns.group, columns.lesion)), *mapping.values()]
    _present(path, table, [*needed, *columns.numbers, *columns.words], columns)
    if not mapping:
        what = "no column holds a class's probabilities; name each as --class NAME=COLUMN"
        raise DataError(f"{path}: {what} (the columns are {', '.join(table.column_names)})")
    lines = RowErrors(path)
    ids = lines.texts(table, columns.id)
    _unique(path, ids, columns.id)
    groups = lines.texts(table, columns.group) if columns.group else [f"row {i}" for i in range(len(ids))]
    values = np.stack([lines.numbers(table, name) for name in mapping.values()], axis=1)
    classes, logits, probabilities = _scores(lines, values, tuple(mapping), columns)
    place = {name: c for c, name in enumerate(classes)}
    truth = lines.texts(table, columns.label)
    strange = [(row, name) for row, name in enumerate(truth) if name not in place]
    if strange:
        named = did_you_mean(strange[0][1], classes)
        raise lines.error(strange[0][0], f"label '{strange[0][1]}' is none of the classes{named}", len(strange))
    return ExternalPredictions(
        source=path.name,
        classes=classes,
        ids=tuple(ids),
        groups=tuple(groups),
        labels=np.array([place[name] for name in truth], dtype=np.int64),
        logits=logits,
        probabilities=probabilities,
        numbers={name: lines.numbers(table, name) for name in columns.numbers},
        words={name: words_of(table, name) for name in columns.words},
        grouped=bool(columns.group),
        lesions=_lesions(table, columns, ids, groups) if columns.lesion else None,
    )


def _lesions(table: pa.Table, columns: TableColumns, ids: Sequence[str], groups: Sequence[str]) -> tuple[str, ...]:
    """Name each row's lesion by its patient too, since two patients may each have a lesion 1."""
    patients = groups if columns.group else [""] * len(ids)
    found = zip(ids, patients, words_of(table, columns.lesion), strict=True)
    return tuple(f"image:{row}" if lesion is None else f"lesion:{patient}:{lesion}" for row, patient, lesion in found)


def _table(path: Path) -> pa.Table:
    import pyarrow as pa
    import pyarrow.csv as csv
    import pyarrow.parquet as pq

    try:
        if path.suffix.lower() == ".parquet":
            return pq.read_table(path)
        text = csv.ConvertOptions(strings_can_be_null=True, column_types=_as_text(path))
        return csv.read_csv(path, convert_options=text)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; name a run folder or a table of predictions") from None
    except (OSError, pa.ArrowInvalid, pa.ArrowKeyError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{path}: not a CSV or Parquet table with one head line ({reason})") from error


def _as_text(path: Path) -> dict[str, Any]:
    """Read every column as text: an id such as 0012 is no number, and a bad number is named by its line."""
    import pyarrow as pa
    import pyarrow.csv as csv

    with csv.open_csv(path) as head:
        names = head.schema.names
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"{path}: two columns are named '{twice}'; rename one")
    return {name: pa.string() for name in names}


def _own(table: pa.Table, logits: bool) -> dict[str, str]:
    """Return classes and columns of a table that is named as ours are."""
    for prefix in PREFIXES[2:] if logits else PREFIXES[:2]:
        found = {name.removeprefix(prefix): name for name in table.column_names if name.startswith(prefix)}
        if found:
            return found
    return {}


def _present(path: Path, table: pa.Table, names: Sequence[str], columns: TableColumns) -> None:
    absent = [name for name in dict.fromkeys(names) if name not in table.column_names]
    if not absent:
        return
    option = {columns.id: "--id", columns.group: "--group", columns.label: "--label", columns.lesion: "--lesion"}.get(
        absent[0]
    )
    hint = f"; name it with {option} COLUMN" if option else ""
    if absent[0] == columns.group:
        hint += ", or say --group none where each row is another patient"
    raise DataError(f"{path}: has no column '{absent[0]}'{did_you_mean(absent[0], table.column_names)}{hint}")


def _unique(path: Path, ids: Sequence[str], column: str) -> None:
    first: dict[str, int] = {}
    for row, name in enumerate(ids):
        if first.setdefault(name, row) != row:
            count = len(ids) - len(set(ids))
            what = f"id '{name}' of column '{column}' stood in line {first[name] + 2} already; each sample counts once"
            raise RowErrors(path).error(row, what, count)


def _scores(
    lines: RowErrors, values: Floats, names: tuple[str, ...], columns: TableColumns
) -> tuple[tuple[str, ...], Floats, Floats]:
    if columns.logits:
        names, values = (names, values) if len(names) > 1 else ((columns.rest, *names), np.hstack([0 * values, values]))
        return names, values, softmax(values)
    for column in range(values.shape[1]):
        inside = lines.checked(
            values[:, column],
            f"the probability of '{names[column]}' must be in [0, 1] (are these logits? say --logits)",
            lambda p: (p >= 0) & (p <= 1),
        )
        values[:, column] = inside
    if len(names) == 1:
        names, values = (columns.rest, *names), np.hstack([1 - values, values])
    what = f"the probabilities of {', '.join(names)} must sum to 1 (a class is missing, or they are logits)"
    lines.checked(values.sum(axis=1), what, lambda total: abs(total - 1) <= SUM_WITHIN)
    smallest = float(np.finfo(np.float64).tiny)
    return names, log_softmax(np.log(np.maximum(values, smallest))), values


@dataclass(frozen=True)
class RowErrors:
    """Says where in the file a row stands; the first line of a CSV is its head."""

    path: Path

    def error(self, row: int, what: str, count: int = 1) -> DataError:
        more = f" (and {count - 1:,} more rows like it)" if count > 1 else ""
        where = f"line {row + 2}" if self.path.suffix.lower() != ".parquet" else f"row {row + 1}"
        return DataError(f"{self.path}, {where}: {what}{more}")

    def texts(self, table: pa.Table, name: str) -> list[str]:
        found = words_of(table, name)
        empty = [row for row, text in enumerate(found) if text is None or not text.strip()]
        if empty:
            raise self.error(empty[0], f"column '{name}' is empty", len(empty))
        return [text for text in found if text is not None]

    def numbers(self, table: pa.Table, name: str) -> Floats:
        return self.checked(numbers_of(self, table, name), f"column '{name}' is not a finite number", np.isfinite)

    def checked(self, values: Floats, what: str, holds: Callable[[Floats], Any]) -> Floats:
        wrong = np.flatnonzero(~np.asarray(holds(values)))
        if len(wrong):
            raise self.error(int(wrong[0]), f"{what}, got {values[wrong[0]]:g}", len(wrong))
        return values


def words_of(table: pa.Table, name: str) -> tuple[str | None, ...]:
    return tuple(None if one is None or one == "" else str(one) for one in table[name].to_pylist())


def numbers_of(lines: RowErrors, table: pa.Table, name: str) -> Floats:
    out = np.full(len(table), np.nan)
    for row, one in enumerate(table[name].to_pylist()):
        try:
            out[row] = float(one)
        except (TypeError, ValueError):
            shown = "nothing" if one in (None, "") else repr(one)
            raise lines.error(row, f"column '{name}' must be a number, got {shown}") from None
    return out
