"""Reads a CSV or Parquet file of any system as columns of text and numbers, whatever wrote it.

A CSV may be UTF-8 or UTF-16, with or without a byte order mark, separated by commas, semicolons, tabs or bars; with
semicolons `0,5` is a number.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from skinframe.data.safe_parquet import read_parquet
from skinframe.errors import DataError
from skinframe.untrusted_files import UnreadableError, read_bytes
from skinframe.weighted_statistics import Floats

if TYPE_CHECKING:
    import pyarrow as pa

DELIMITERS = (",", ";", "\t", "|")
MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
ABSENT = frozenset({"", "na", "n/a", "nan", "none", "null"})  # words for a missing value, in metadata only
MAX_CSV = 1024 * 2**20  # bytes


@dataclass(frozen=True, eq=False)
class PredictionFile:
    """A table of text columns (CSV) or typed ones (Parquet), and where its rows stand in the file."""

    path: Path
    table: pa.Table
    decimal_comma: bool = False

    @property
    def names(self) -> list[str]:
        return list(self.table.column_names)

    def __len__(self) -> int:
        return len(self.table)

    def where(self, row: int) -> str:
        """Return how a user finds the row; the first line of a CSV is its header."""
        return f"row {row + 1}" if self.path.suffix.lower() == ".parquet" else f"line {row + 2}"

    def error(self, row: int, what: str, count: int = 1) -> DataError:
        more = f" (and {count - 1:,} more rows like it)" if count > 1 else ""
        return DataError(f"{self.path}, {self.where(row)}: {what}{more}")

    def cells(self, name: str) -> list[str | None]:
        """Return a column as text; an empty cell is None, every other text is kept."""
        return [_text(value) for value in self.table[name].to_pylist()]

    def texts(self, name: str) -> list[str]:
        """Return a column in which no cell may be empty. Raises DataError with its first line."""
        cells = self.cells(name)
        empty = [row for row, text in enumerate(cells) if text is None or not text.strip()]
        if empty:
            raise self.error(empty[0], f"column '{name}' is empty", len(empty))
        return [text for text in cells if text is not None]

    def words(self, name: str) -> tuple[str | None, ...]:
        """Return a column of metadata; here NA, nan, None and the like mean that nothing is recorded."""
        cells = self.cells(name)
        return tuple(None if text is None or text.strip().lower() in ABSENT else text for text in cells)

    def numbers(self, name: str) -> Floats:
        """Return a column of finite numbers. Raises DataError with the first cell that holds none."""
        values = np.full(len(self), np.nan)
        for row, cell in enumerate(self.table[name].to_pylist()):
            text = cell.replace(",", ".") if self.decimal_comma and isinstance(cell, str) else cell
            try:
                values[row] = float(text)
            except (TypeError, ValueError, OverflowError):
                shown = "nothing" if cell in (None, "") else repr(cell)
                raise self.error(row, f"column '{name}' must be a number, got {shown}") from None
        return self.checked(values, f"column '{name}' is not a finite number", np.isfinite)

    def checked(self, values: Floats, what: str, holds: Callable[[Floats], Any]) -> Floats:
        """Return the values. Raises DataError naming the first row that does not hold."""
        wrong = np.flatnonzero(~np.asarray(holds(values)))
        if len(wrong):
            raise self.error(int(wrong[0]), f"{what}, got {values[wrong[0]]:.10g}", len(wrong))
        return values


def read_prediction_file(path: Path) -> PredictionFile:
    """Read a file. Raises DataError saying why it is not a table with one header line and at least one row."""
    import pyarrow as pa
    import pyarrow.csv as csv

    try:
        if path.suffix.lower() == ".parquet":
            return _some_rows(PredictionFile(path, _parquet(path)))
        text = _decoded(path)
        delimiter = delimiter_of(text)
        table = csv.read_csv(
            io.BytesIO(text.encode("utf-8")),
            read_options=csv.ReadOptions(use_threads=False),
            parse_options=csv.ParseOptions(delimiter=delimiter),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(_header(path, text, delimiter), pa.string()), strings_can_be_null=False
            ),
        )
    except UnreadableError as error:
        hint = "; name a run folder or a table of predictions" if error.reason == "no such file" else ""
        raise DataError(f"{error}{hint}") from error
    except (OSError, pa.ArrowException, UnicodeError) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{path}: not a CSV or Parquet table with one header line ({reason})") from error
    return _some_rows(PredictionFile(path, table, delimiter == ";"))


def _some_rows(file: PredictionFile) -> PredictionFile:
    if not len(file):
        raise DataError(f"{file.path}: holds no row; expected one a sample")
    return file


def _parquet(path: Path) -> pa.Table:
    """Read a Parquet file, bounded as it unpacks."""
    table = read_parquet(path)
    _refuse_twins(path, table.column_names)
    return table


def _decoded(path: Path) -> str:
    """Return a CSV's text by its byte order mark, else as UTF-8. Raises DataError for another encoding."""
    raw = read_bytes(path, MAX_CSV)
    encoding = next((name for mark, name in MARKS if raw.startswith(mark)), "utf-8")
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        what = f"byte {error.start} is not {encoding.upper().removesuffix('-SIG')}; save the table as UTF-8"
        raise DataError(f"{path}: {what}") from None


def delimiter_of(text: str) -> str:
    """Return the delimiter that the header line has most of; a comma where it has none."""
    header = text.lstrip("\r\n").partition("\n")[0]
    return max(DELIMITERS, key=header.count)


def _header(path: Path, text: str, delimiter: str) -> list[str]:
    import csv

    names = next(csv.reader(io.StringIO(text), delimiter=delimiter), [])
    _refuse_twins(path, names)
    return names


def _refuse_twins(path: Path, names: list[str]) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"{path}: two columns are named '{twice}'; rename one")


def _text(value: Any) -> str | None:
    """Return a cell as text: 3.0 of a typed column is the label 3, and an empty text is nothing."""
    if value is None or value == "" or value != value:
        return None
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
