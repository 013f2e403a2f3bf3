"""What is no recipe is refused in one sentence that says where and what to do."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from skinframe.errors import RecipeError
from skinframe.recipe import load_recipe
from skinframe.recipe.yaml_text import parse_mapping, parse_value

BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"
TEXTS = [
    pytest.param("name: [", "is not a recipe", id="broken"),
    pytest.param("name: a\nname: b\n", "key 'name' appears twice", id="duplicate key"),
    pytest.param("train: {lr: 1, lr: 2}\n", "key 'lr' appears twice", id="nested duplicate"),
    pytest.param(BOMB, "aliases are not supported", id="alias bomb"),
    pytest.param("base: &b {x: 1}\nother: {<<: *b}\n", "aliases are not supported", id="merge key"),
    pytest.param("name: !!python/object/apply:os.system ['true']\n", "could not determine a constructor", id="object"),
    pytest.param("name: !!python/name:os.system\n", "could not determine a constructor", id="python name"),
    pytest.param("name: ${oc.env:HOME}\n", "interpolation", id="interpolation"),
    pytest.param("- a\n- b\n", "expected keys and values", id="a list"),
    pytest.param("", "expected keys and values", id="empty"),
    pytest.param("1: a\n", "key 1 is not a string", id="numeric key"),
    pytest.param("[a, b]: c\n", "is not a string", id="list as key"),
    pytest.param("a: 1\n---\nb: 2\n", "is not a recipe", id="two documents"),
    pytest.param("a: " + "[" * 200 + "]" * 200, "nested deeper than", id="deep nesting"),
    pytest.param("a: " + "{a: " * 50_000, "nested deeper than", id="deeper than the stack"),
    pytest.param("a: \x00\n", "is not a recipe", id="control character"),
]


@pytest.mark.parametrize(("text", "message"), TEXTS)
def test_text_that_is_no_recipe(text: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message) as found:
        parse_mapping(text, "my.yaml")
    assert str(found.value).startswith("my.yaml: 1 problem\n")
    assert len(str(found.value)) < 1000


def test_plain_scalars_are_read_by_yaml_s_own_rules() -> None:
    """Nothing is executed and nothing is guessed."""
    assert parse_value("null", "--set") is None
    assert parse_value("true", "--set") is True
    assert parse_value("2026-11-30", "--set") == "2026-11-30"
    assert parse_value("[yes, No, on, OFF, y]", "--set") == ["yes", "No", "on", "OFF", "y"]
    assert parse_value("[1, 2]", "--set") == [1, 2]


def test_fifty_megabytes_are_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "big.yaml"
    with path.open("wb") as stream:
        stream.truncate(50_000_000)
    start = time.perf_counter()
    with pytest.raises(RecipeError, match=r"has 50,000,000 bytes; at most 1,000,000 are read"):
        load_recipe(path)
    assert time.perf_counter() - start < 1


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no such file"):
        load_recipe(tmp_path / "none.yaml")
    with pytest.raises(RecipeError, match="is a folder"):
        load_recipe(tmp_path)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "image.yaml"
    path.write_bytes(b"\xff\xd8\xff\xe0 not text")
    with pytest.raises(RecipeError, match="is not UTF-8 text"):
        load_recipe(path)


def test_a_pipe_does_not_hang(tmp_path: Path) -> None:
    import os

    path = tmp_path / "pipe.yaml"
    os.mkfifo(path)
    with pytest.raises(RecipeError, match="is not a regular file"):
        load_recipe(path)
