"""Columns of a table as texts and numbers; every value that is neither is named by its line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from skinframe.errors import DataError
from skinframe.weighted import Floats

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Lines:
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


def numbers_of(lines: Lines, table: pa.Table, name: str) -> Floats:
    out = np.full(len(table), np.nan)
    for row, one in enumerate(table[name].to_pylist()):
        try:
            out[row] = float(one)
        except (TypeError, ValueError):
            shown = "nothing" if one in (None, "") else repr(one)
            raise lines.error(row, f"column '{name}' must be a number, got {shown}") from None
    return out
