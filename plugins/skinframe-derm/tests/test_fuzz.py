"""A short version of fuzz.py: 64 of its mutations, and proof that it would find something."""

from __future__ import annotations

import random
from pathlib import Path

import fuzz
import pytest


@pytest.mark.parametrize("kind", range(len(fuzz.KINDS)))
def test_damaged_files_are_read_or_refused(kind: int) -> None:
    for number in range(kind, 8 * len(fuzz.KINDS), len(fuzz.KINDS)):
        ended, seconds = fuzz.one(1, number)
        assert ended
        assert seconds < fuzz.SECONDS


def test_damage_changes_the_bytes_the_same_way_every_time() -> None:
    data = bytes(range(256))
    made = [fuzz.damaged(data, random.Random(f"{n}")) for n in range(50)]  # noqa: S311
    assert made == [fuzz.damaged(data, random.Random(f"{n}")) for n in range(50)]  # noqa: S311
    assert sum(one != data for one in made) > 40


def test_what_is_no_data_error_comes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(chance: random.Random, root: Path) -> str:
        raise IndexError("a bug")

    monkeypatch.setattr(fuzz, "KINDS", (broken,))
    with pytest.raises(IndexError, match="a bug"):
        fuzz.one(0, 0)
