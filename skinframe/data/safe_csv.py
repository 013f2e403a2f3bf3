"""CSV that is safe against formula injection in spreadsheets, and can be read back unchanged.

Follows OWASP's rules for CSV injection and closes the ways around naive checks: leading blanks, later lines of a cell,
separators of another locale, full-width signs.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence

from skinframe.errors import DataError

FORMULA_SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20"  # half and full width
GUARD = "'"
BREAKS = re.compile(r'(\r\n|[\r\n\t,;|"])')  # where some reader may start a new cell
Cell = str | int | float | None


def escape_text(text: str) -> str:
    """Return the text with an apostrophe wherever a reader could see the start of a formula."""
    pieces = BREAKS.split(text)
    escaped = [_guard(piece) if number % 2 == 0 else piece for number, piece in enumerate(pieces)]
    if len(pieces) > 1 and not pieces[0]:  # a leading tab or line end is dangerous by itself
        escaped[0] = GUARD
    return "".join(escaped)


def unescape_text(text: str) -> str:
    """Invert `escape_text`."""
    pieces = BREAKS.split(text)
    return "".join(piece.removeprefix(GUARD) if number % 2 == 0 else piece for number, piece in enumerate(pieces))


def _guard(piece: str) -> str:
    first = next((character for character in piece if not _blank(character)), "")
    return GUARD + piece if piece.startswith(GUARD) or (first and first in FORMULA_SIGNS) else piece


def _blank(character: str) -> bool:
    """Return whether a spreadsheet may skip a character: blanks, zero-width and control characters."""
    return character.isspace() or unicodedata.category(character) in ("Cc", "Cf", "Zs")


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """Return a CSV with a header: texts escaped and quoted, numbers unchanged, None and NaN empty."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow([escape_text(name) for name in header])
    for row in rows:
        writer.writerow([_cell(value) for value in row])
    return out.getvalue()


def _cell(value: Cell) -> Cell:
    if value is None or value != value:
        return ""
    return escape_text(value) if isinstance(value, str) else value


def parse_csv(text: str) -> list[list[str]]:
    """Return the cells of such a CSV as unescaped texts, header first. Raises DataError if it is not a CSV."""
    try:
        return [[unescape_text(cell) for cell in row] for row in csv.reader(io.StringIO(text, newline=""), strict=True)]
    except csv.Error as error:
        raise DataError(f"not a CSV: {error}") from None
