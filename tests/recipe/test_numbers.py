"""Numbers in recipes and in `--set` are those of YAML 1.2, and text that looks like one survives a round trip."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import yaml

from skinframe.errors import RecipeError
from skinframe.recipe import load_recipe
from skinframe.recipe.yaml_text import dump, parse_mapping, parse_value

NUMBERS = [
    ("5e-1", 0.5),
    ("1e-1", 0.1),
    ("1E3", 1000.0),
    ("-2e-3", -0.002),
    ("+1.5e+3", 1500.0),
    (".5", 0.5),
    ("1.", 1.0),
    ("-.inf", -math.inf),
    ("3", 3),
    ("010", 10),
    ("0o10", 8),
    ("0x1F", 31),
]
BASE = """
name: base
data: {use: set_a}
prompt: {use: p}
encoders: {clip: {use: e}}
reasoner: {use: r}
heads: {classify: {use: linear}}
losses: {focal: {use: focal, weight: 1.0}}
"""
TEXT = ["1:30", "1:30.5", "1_000", "0b1", "1e", "e5", "..5", "--1", "'5e-1'"]


@pytest.mark.parametrize(("text", "value"), NUMBERS)
def test_a_number_is_read_alike_in_a_recipe_and_in_set(text: str, value: float) -> None:
    for found in (parse_value(text, "--set"), parse_mapping(f"a: {text}", "my.yaml")["a"]):
        assert found == value
        assert isinstance(found, type(value))


def test_not_a_number_is_one() -> None:
    assert math.isnan(parse_value(".nan", "--set"))


@pytest.mark.parametrize("text", TEXT)
def test_what_is_no_number_in_yaml_1_2_stays_text(text: str) -> None:
    assert parse_value(text, "--set") == text.strip("'")


@pytest.mark.parametrize("value", ["5e-1", "1e3", ".5", "1:30", "1_000", "010", "0o10", "yes", "null", "text"])
def test_text_that_looks_like_a_number_survives_a_round_trip(value: str) -> None:
    """In our reader and in PyYAML's YAML 1.1 reader, which opens plan.yaml."""
    written = dump({"a": value})
    assert parse_mapping(written, "my.yaml") == {"a": value}
    assert yaml.safe_load(written) == {"a": value}


@pytest.mark.parametrize("value", [1e-5, 1e300, -0.1, 1e16, math.inf, 5, True, None, [1.5, "a"], {"b": 1e-7}])
def test_numbers_are_written_as_before(value: Any) -> None:
    assert dump({"a": value}) == yaml.safe_dump({"a": value}, sort_keys=False)
    assert parse_mapping(dump({"a": value}), "my.yaml") == {"a": value}


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "base.yaml"
    path.write_text(BASE)
    return path


@pytest.mark.parametrize("text", ["5e-1", "0.5", ".5", "+5E-1"])
def test_a_weight_may_be_written_in_any_way(recipe: Path, text: str) -> None:
    found = load_recipe(recipe, overrides=[f"losses.focal.weight={text}", f"train.lr={text}"])
    assert found.losses["focal"].weight == 0.5
    assert isinstance(found.losses["focal"].weight, float)
    assert found.train.lr == 0.5
    recipe.write_text(BASE.replace("weight: 1.0", f"weight: {text}"))
    assert load_recipe(recipe) == load_recipe(recipe, overrides=["losses.focal.weight=0.5"])


def test_text_is_text_where_text_is_expected_and_no_number_where_one_is(recipe: Path) -> None:
    assert load_recipe(recipe, overrides=["title=1:30"]).title == "1:30"
    with pytest.raises(RecipeError, match=r"train.epochs: value '1:30' could not be converted to an integer"):
        load_recipe(recipe, overrides=["train.epochs=1:30"])
