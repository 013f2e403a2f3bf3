"""A table of predictions is read or refused by one message, whatever its bytes are and however far it unpacks."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skinframe.errors import DataError
from skinframe.evaluation.external_predictions import TableColumns, read_external
from skinframe.evaluation.predictions import read_predictions

COLUMNS = TableColumns(id="id", group="", label="label")


def _parquet(path: Path, **columns: Any) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table(columns), path, compression="zstd")


def _many_rows(path: Path) -> None:
    import pyarrow as pa

    zeros = pa.nulls(5_000_000, pa.float64())
    _parquet(path, id=zeros, label=zeros)


def _long_text(path: Path) -> None:
    """One text of a megabyte that repeats: a file of some kilobytes, a hundred megabytes when it is unpacked."""
    _parquet(path, id=["x" * 2**20] * 100, label=["a"] * 100)


def _lists(path: Path) -> None:
    _parquet(path, id=["a"], label=["b"], more=[[1.0] * 10])


def _twice(path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_arrays([pa.array(["a"])] * 2, names=["id", "id"]), path)


def _cut(path: Path) -> None:
    _parquet(path, id=["a"], label=["b"])
    path.write_bytes(path.read_bytes()[:-20])


FAULTS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "five million rows": (_many_rows, "5,000,000 rows"),
    "a long text": (_long_text, "a text of more than"),
    "lists": (_lists, "a column of lists"),
    "two columns of one name": (_twice, "two columns are named|does not have the form"),
    "cut off": (_cut, "not a readable Parquet table"),
    "text": (lambda path: path.write_text("id,label\n"), "not a readable Parquet table"),
    "empty": (lambda path: path.write_bytes(b""), "not a readable Parquet table"),
    "magic only": (lambda path: path.write_bytes(b"PAR1" + bytes(40) + b"PAR1"), "not a readable Parquet table"),
    "pipe": (os.mkfifo, "not a regular file"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "not a regular file"),
    "folder": (lambda path: path.mkdir(), "is a folder"),
}


@pytest.mark.parametrize(("fault", "message"), FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("read", [lambda path: read_external(path, COLUMNS), read_predictions], ids=["external", "own"])
def test_a_parquet_table_is_refused_by_name(tmp_path: Path, read: Any, fault: Any, message: str) -> None:
    path = tmp_path / "t.parquet"
    fault(path)
    with pytest.raises(DataError, match=message) as found:
        read(path)
    assert str(found.value).startswith(str(path))
    assert len(str(found.value)) < 700


@pytest.mark.parametrize("fault", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")], ids=["pipe", "device"])
def test_a_csv_that_never_ends_is_refused(tmp_path: Path, fault: Any) -> None:
    fault(tmp_path / "t.csv")
    with pytest.raises(DataError, match="not a regular file"):
        read_external(tmp_path / "t.csv", COLUMNS)


def test_an_ordinary_table_is_unchanged(tmp_path: Path) -> None:
    """Texts that repeat, empty ones and numbers come back as they were written."""
    ids = [f"s{row}" for row in range(20_000)]
    _parquet(tmp_path / "t.parquet", id=ids, label=["a", "b"] * 10_000, **{"probability:a": [0.25] * 20_000,
             "probability:b": [0.75] * 20_000})  # fmt: skip
    found = read_external(tmp_path / "t.parquet", COLUMNS)
    assert list(found.ids) == ids
    assert found.labels.tolist() == [0, 1] * 10_000
    assert found.probabilities[19_999].tolist() == [0.25, 0.75]
