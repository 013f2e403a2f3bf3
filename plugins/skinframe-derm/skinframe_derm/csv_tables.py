"""CSV tables read with suspicion: bounded lines, only the columns of the policy, every bad row with its line."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import TextIO, TypeVar

from skinframe import DataError
from skinframe.data.problem_list import ProblemList
from skinframe.untrusted_files import open_regular

LONGEST_LINE = 65_536  # characters; a metadata row of the public sets has under 1,000
UNKNOWN = frozenset({"", "unknown", "na", "nan", "none", "n/a"})
Parsed = TypeVar("Parsed")


class Row:
    """One line of a table. A value that cannot be read goes on the table's list of problems and becomes None."""

    def __init__(self, line: int, values: dict[str, str], problems: ProblemList, table: str = "") -> None:
        self.line, self._values, self._problems, self._table = line, values, problems, table

    def problem(self, what: str) -> None:
        self._problems.add(f"{self._table}line {self.line}: {what}")

    def text(self, column: str) -> str | None:
        """Return a cell without outer blanks; None for an absent column or a word for unknown."""
        value = self._values.get(column, "").strip()
        return None if value.lower() in UNKNOWN else value

    def verbatim(self, column: str) -> str | None:
        """Return a cell without outer blanks, None only where it is empty: a label or an id may be any word."""
        return self._values.get(column, "").strip() or None

    def parsed(self, column: str, parse: Callable[[str], Parsed]) -> Parsed | None:
        value = self.text(column)
        try:
            return None if value is None else parse(value)
        except ValueError as error:
            self.problem(f"{column}: {error}")
            return None

    def word(self, column: str, allowed: Collection[str]) -> str | None:
        """Return one of the allowed words, however its letters are cased; None for unknown."""
        known = {word.lower(): word for word in allowed}

        def parse(value: str) -> str:
            if value.lower() not in known:
                raise ValueError(f"{value[:60]!r} is not one of {', '.join(allowed)}")
            return known[value.lower()]

        return self.parsed(column, parse)

    def number(self, column: str, low: float, high: float) -> float | None:
        """Return a finite number in [low, high]; None for unknown."""

        def parse(value: str) -> float:
            try:
                number = float(value)
            except ValueError:
                number = math.nan
            if not low <= number <= high:
                raise ValueError(f"{value[:60]!r} is not a number in [{low:g}, {high:g}]")
            return number

        return self.parsed(column, parse)


def read_table(path: Path, columns: Collection[str], required: Sequence[str], take: Callable[[Row], None]) -> None:
    """Call `take` with every row, cut down to `columns`.

    Raises DataError naming the file and every bad line: what `take` put on the row, and what `table_rows` finds.
    """
    problems = ProblemList()
    for row in table_rows(path, columns, required, problems):
        take(row)
    problems.raise_any(str(path))


def table_rows(
    path: Path, columns: Collection[str], required: Sequence[str], problems: ProblemList, named: bool = False
) -> Iterator[Row]:
    """Yield every row, cut down to `columns`; with `named` its problems begin with the table's name.

    Rows of the wrong width, lines that are too long, and missing or repeated columns go on `problems`. Raises DataError
    where the file cannot be read at all.
    """
    try:
        with io.TextIOWrapper(open_regular(path), encoding="utf-8-sig", newline="") as file:
            yield from _rows(file, columns, required, problems, f"{path.name} " if named else "")
    except UnicodeDecodeError:
        raise DataError(f"{path}: is not UTF-8 text; export the table as CSV in UTF-8") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {(error.strerror or 'unknown error').lower()}") from None


def _rows(
    file: TextIO, columns: Collection[str], required: Sequence[str], problems: ProblemList, table: str
) -> Iterator[Row]:
    reader = csv.reader(_lines(file), strict=True)
    rows = iter(reader)
    try:
        header = [name.strip() for name in next(rows, [])]
        missing = [name for name in required if name not in header]
        repeated = sorted({name for name in header if name and header.count(name) > 1})
        if missing:
            shown = ", ".join(header)[:200] or "empty"
            problems.add(f"{table}line 1: no column {', '.join(missing)}; the header is {shown}")
            return
        if repeated:
            problems.add(f"{table}line 1: column {', '.join(repeated)[:200]} stands twice")
            return
        wanted = [(place, name) for place, name in enumerate(header) if name in columns]
        for cells in rows:
            if len(cells) == len(header):
                yield Row(reader.line_num, {name: cells[place] for place, name in wanted}, problems, table)
            elif cells:
                problems.add(f"{table}line {reader.line_num}: {len(cells)} cells where the header has {len(header)}")
    except csv.Error as error:
        problems.add(f"{table}line {reader.line_num}: {error}")


def _lines(file: TextIO) -> Iterator[str]:
    """Yield lines, never holding more than LONGEST_LINE characters: a file without line ends must not fill memory."""
    while line := file.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            raise csv.Error(f"longer than {LONGEST_LINE} characters; this is not the table it should be")
        yield line
