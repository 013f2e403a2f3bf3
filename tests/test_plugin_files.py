"""Plugin files on the command line: the same one twice is one, two of one name are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from skinframe import RecipeError
from skinframe.plugins import load

EXAMPLE = (
    Path(__file__).parents[1] / "plugins" / "skinframe-example" / "skinframe_example" / "smoothed_cross_entropy.py"
)


def test_the_same_file_twice_is_one_plugin() -> None:
    assert load([], [EXAMPLE, EXAMPLE]).names("loss") == ["smoothed_cross_entropy"]


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    other = tmp_path / EXAMPLE.name
    other.write_text(EXAMPLE.read_text(encoding="utf-8").replace('"smoothed_cross_entropy"', '"another"'))
    with pytest.raises(RecipeError, match="two files are called smoothed_cross_entropy.py; rename one"):
        load([], [EXAMPLE, other])
