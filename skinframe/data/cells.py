"""Text in a CSV that a spreadsheet may open: no cell begins a formula, and every text comes back as it was.

OWASP's rules for CSV injection, and the ways around naive ones: leading blanks, later lines of a cell, separators of
another locale, full-width signs.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence

from skinframe.errors import DataError

SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20"  # what begins a formula, in half and full width
GUARD = "'"
BREAKS = re.compile(r'(\r\n|[\r\n\t,;|"])')  # where some reader may begin another cell
Cell = str | int | float | None


def guarded(text: str) -> str:
    """Return the text with an apostrophe wherever a reader could begin a cell that is a formula."""
    pieces = BREAKS.split(text)
    out = [_guard(piece) if number % 2 == 0 else piece for number, piece in enumerate(pieces)]
    if len(pieces) > 1 and not pieces[0]:  # a tab or a line end in front is itself a way in
        out[0] = GUARD
    return "".join(out)


def restored(text: str) -> str:
    """Return what `guarded` was given."""
    pieces = BREAKS.split(text)
    return "".join(piece.removeprefix(GUARD) if number % 2 == 0 else piece for number, piece in enumerate(pieces))


def _guard(piece: str) -> str:
    shown = next((one for one in piece if not _blank(one)), "")
    return GUARD + piece if piece.startswith(GUARD) or (shown and shown in SIGNS) else piece


def _blank(one: str) -> bool:
    """Say whether a spreadsheet may skip a character: blanks, marks without width, control characters."""
    return one.isspace() or unicodedata.category(one) in ("Cc", "Cf", "Zs")


def csv_of(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """Return a CSV with a head line: texts guarded and quoted, numbers as they are, None and NaN empty."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow([guarded(name) for name in head])
    for row in rows:
        writer.writerow([_cell(value) for value in row])
    return out.getvalue()


def _cell(value: Cell) -> Cell:
    if value is None or value != value:
        return ""
    return guarded(value) if isinstance(value, str) else value


def rows_of(text: str) -> list[list[str]]:
    """Return the cells of such a CSV as texts, head line first, as they were before they were guarded.

    Raises DataError where it is no CSV.
    """
    try:
        return [[restored(cell) for cell in row] for row in csv.reader(io.StringIO(text, newline=""), strict=True)]
    except csv.Error as error:
        raise DataError(f"not a CSV: {error}") from None
