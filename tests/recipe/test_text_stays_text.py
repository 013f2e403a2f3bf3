"""Where an option asks for text, a recipe's scalar is the text that stands in the file, whatever YAML makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from skinframe.planning.load_plan import plan_of
from skinframe.recipe import load_recipe
from skinframe.recipe.typed_dataclasses import typed
from skinframe.recipe.yaml_text import dump, parse_mapping


@dataclass(frozen=True, kw_only=True)
class Options:
    classes: tuple[str, ...] = ()
    label: str | None = None
    sizes: tuple[int, ...] = ()
    share: float = 0.0


@pytest.mark.parametrize(
    "words",
    [
        ["yes", "no"],
        ["NO", "off"],
        ["true", "false"],
        ["01", "02"],
        ["1e3", "2"],
        ["0x10", "1.50"],
        ["2020-01-01", "a"],
    ],
)
def test_words_are_kept_as_written_and_through_a_plan(words: list[str]) -> None:
    data = parse_mapping(f"classes: [{', '.join(words)}]", "my.yaml")
    for read in (data, parse_mapping(dump(data), "plan.yaml")):
        made, problems = typed(Options, read, "")
        assert (made and made.classes, problems) == (tuple(words), [])


def test_numbers_stay_numbers() -> None:
    made, problems = typed(Options, parse_mapping("sizes: [01, 0x10]\nshare: 1e-1\nlabel: null", "my.yaml"), "")
    assert not problems
    assert made == Options(sizes=(1, 16), share=0.1)


@pytest.mark.parametrize("text", ["no", "1e3", "on", "007", "1:30"])
def test_a_name_from_the_command_line_is_text(text: str) -> None:
    assert load_recipe("cfa_full", overrides=[f"title={text}"]).title == text


def test_a_weight_and_a_rate_may_be_written_with_an_exponent(tmp_path: Path) -> None:
    plan = plan_of("cfa_full", overrides=["losses.alignment.weight=1e-1", "train.lr=1e-4"])
    assert (plan.recipe.losses["alignment"].weight, plan.recipe.train.lr) == (0.1, 1e-4)
