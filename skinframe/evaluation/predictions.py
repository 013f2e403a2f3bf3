"""Prediction tables: who was predicted what, as Parquet that any tool reads."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from skinframe.atomic_write import write_atomic
from skinframe.data.safe_parquet import read_parquet
from skinframe.errors import DataError
from skinframe.untrusted_files import parse_json, well_formed
from skinframe.weighted_statistics import Floats, Ints

if TYPE_CHECKING:
    import pyarrow as pa

BLOCKS = ("logit", "probability", "calibrated")  # one column a class each, `probability:melanoma`


@dataclass(frozen=True, eq=False)
class Predictions:
    """One split as predicted: ids, groups and labels [N]; logits, probabilities and calibrated ones [N, C].

    A label of -1 is unknown. `lesions` [N] name what has one diagnosis, however often it was photographed; None where
    that was not recorded. Raises ValueError where the lengths differ or an id stands twice.
    """

    ids: tuple[str, ...]
    groups: tuple[str, ...]
    labels: Ints
    logits: Floats
    probabilities: Floats
    calibrated: Floats
    lesions: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        lengths = {len(self.ids), len(self.groups), len(self.labels), len(self.logits), len(self.lesions or self.ids)}
        shapes = {self.logits.shape, self.probabilities.shape, self.calibrated.shape}
        if len(lengths) > 1 or len(shapes) > 1 or self.logits.ndim != 2:
            raise ValueError(f"predictions do not fit together: {sorted(lengths)} rows, shapes {sorted(shapes)}")
        if len(set(self.ids)) < len(self.ids):
            twice = next(one for one in self.ids if self.ids.count(one) > 1)
            raise ValueError(f"sample '{twice}' is predicted twice; a split holds each sample once")


def write_predictions(path: Path, predictions: Predictions, classes: Sequence[str]) -> None:
    """Write a table at `path`, whole or not at all. Raises DiskError where the disk refuses."""
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(_table(predictions, tuple(classes)), buffer, compression="zstd")
    write_atomic(path, buffer.getvalue())


def read_predictions(path: Path) -> tuple[Predictions, tuple[str, ...]]:
    """Return the predictions in a table and its classes. Raises DataError where it is not such a table."""
    if not path.exists():
        raise DataError(f"{path}: no such prediction table; has the run finished this split?")
    with well_formed(path):
        table = read_parquet(path)
        classes = tuple(map(str, parse_json((table.schema.metadata or {})[b"skinframe.classes"], path)))
        logits, probabilities, calibrated = (_block(table, block, classes) for block in BLOCKS)
        index = {name: place for place, name in enumerate(classes)}
        labels = [-1 if name is None else index[name] for name in table["label"].to_pylist()]
        ids, groups = table["id"].to_pylist(), table["group"].to_pylist()
        lesions = tuple(table["lesion"].to_pylist()) if "lesion" in table.column_names else None
        if not all(isinstance(name, str) for name in (*ids, *groups)):
            raise ValueError("an id or a group is not a text")
        found = np.array(labels, dtype=np.int64)
        return Predictions(tuple(ids), tuple(groups), found, logits, probabilities, calibrated, lesions), classes


def _table(predictions: Predictions, classes: tuple[str, ...]) -> pa.Table:
    import pyarrow as pa

    if predictions.logits.shape[1] != len(classes):
        raise ValueError(f"{predictions.logits.shape[1]} columns for {len(classes)} classes")
    columns: dict[str, Any] = {
        "id": pa.array(predictions.ids, pa.string()),
        "group": pa.array(predictions.groups, pa.string()),
        "label": pa.array([None if y < 0 else classes[y] for y in predictions.labels.tolist()], pa.string()),
    }
    if predictions.lesions is not None:
        columns["lesion"] = pa.array(predictions.lesions, pa.string())
    for block, values in zip(
        BLOCKS, (predictions.logits, predictions.probabilities, predictions.calibrated), strict=True
    ):
        columns |= {f"{block}:{name}": pa.array(values[:, c], pa.float64()) for c, name in enumerate(classes)}
    return pa.table(columns).replace_schema_metadata({"skinframe.classes": json.dumps(classes)})


def _block(table: pa.Table, block: str, classes: tuple[str, ...]) -> Floats:
    columns = [table[f"{block}:{name}"].to_numpy() for name in classes]
    values: Floats = np.stack(columns, axis=1).astype(np.float64) if columns else np.zeros((len(table), 0))
    return values
