"""E9. No text of a CSV begins a formula wherever a reader cuts it, and every text comes back."""

from __future__ import annotations

import csv
import io
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from skinframe.data.safe_csv import csv_text, escape_text, parse_csv, unescape_text
from skinframe.errors import DataError

FORMULA = re.compile("[=+\\-@\uff1d\uff0b\uff0d\uff20]")
LEADS = ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"]
NAUGHTY = [
    "=1+1", " =x", "-2+3", "\t=1", "a\n=1", "a\r\n  @x", "a;=1", "a,+1", 'a"=1', "a|=1", "\u00a0=1", "\ufeff=1",
    "\u200b=1",
    "'=1", "''", "'", "\n", "=cmd|' /C calc'!A0", "\r\r=1", "don't", "'a', 'b'", "plain", "", "-", "\x00=1",
]  # fmt: skip
TEXTS = st.lists(
    st.one_of(st.sampled_from([*LEADS, *"';,|\" ", "\u00a0", "\u200b", "\r\n", "a", "1"]), st.text(max_size=3)),
    max_size=8,
).map("".join)


def begins_a_formula(text: str) -> bool:
    """As a spreadsheet of any locale might: cut at line ends, tabs, separators and quotes, blanks skipped."""
    return any(
        FORMULA.match(piece.lstrip("\u00a0\u200b\ufeff\x00 \t\x0b\x0c")) for piece in re.split('[\r\n\t,;|"]', text)
    )


@pytest.mark.parametrize("lead", LEADS)
def test_e9_every_lead_character_is_neutralised(lead: str) -> None:
    for text in (f"{lead}1+1", f" {lead}1+1", f"a\n{lead}1", f"{lead}=1"):
        safe = escape_text(text)
        assert not begins_a_formula(safe), (text, safe)
        assert not safe.startswith(("\t", "\r", "\n"))
        assert unescape_text(safe) == text


@pytest.mark.parametrize("text", NAUGHTY)
def test_e9_the_ways_around_a_naive_check_are_closed(text: str) -> None:
    assert not begins_a_formula(escape_text(text))
    assert unescape_text(escape_text(text)) == text


@settings(deadline=None, derandomize=True, max_examples=300)
@given(TEXTS)
@example("'\t'=")
def test_e9_any_text_is_safe_and_comes_back(text: str) -> None:
    assert not begins_a_formula(escape_text(text))
    assert unescape_text(escape_text(text)) == text


def test_e9_the_check_of_this_test_bites() -> None:
    assert all(map(begins_a_formula, ("=1", " =x", "a\n=1", "a;=1", "\uff1d1")))
    assert not any(map(begins_a_formula, ("a=1", "1-2", "'=1", "")))


def test_e9_numbers_are_unchanged_and_a_whole_table_comes_back() -> None:
    head = ("id", "=score", "value")
    rows = [(text, "x", -2.5) for text in NAUGHTY if "\x00" not in text]
    text = csv_text(head, [*rows, ("n", None, float("nan")), ("i", "y", -3)])
    cells = list(csv.reader(io.StringIO(text, newline="")))
    assert {row[2] for row in cells[1:-2]} == {"-2.5"}
    assert [row[2] for row in cells[-2:]] == ["", "-3"]
    assert not any(begins_a_formula(cell) for row in cells for cell in row if not cell.startswith("-") or cell == "-")
    assert [tuple(row) for row in parse_csv(text)] == [
        head, *((one, "x", "-2.5") for one, *_ in rows), ("n", "", ""), ("i", "y", "-3"),
    ]  # fmt: skip
    with pytest.raises(DataError, match="not a CSV"):
        parse_csv('"a"b\n')
