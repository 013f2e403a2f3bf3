"""Each option of a verb is declared once: in the signature of its Python function."""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest

import skinframe
from skinframe.cli import MODULES, parser
from skinframe.verbs.command_from_signature import Command, Option, parameters_of


def parsed(function: Any, *words: str) -> dict[str, Any]:
    """Return what the function is called with when the command line holds these words."""
    seen: dict[str, Any] = {}

    def call(*positional: Any, **named: Any) -> None:
        seen.update(named, positional=positional) if positional else seen.update(named)

    own = argparse.ArgumentParser(prog="test")
    command = Command("test", function, "test", call)
    command.add_to(own)
    command.run(own.parse_args(words))
    return seen


def example(
    place: Annotated[str | Path, Option("a place")],
    again: Annotated[str | None, Option("another place")] = None,
    *,
    names: Annotated[Sequence[str], Option("names", "--name", "NAME")] = (),
    count: Annotated[int, Option("how many")] = 3,
    share: Annotated[float | None, Option("a share")] = None,
    size: Annotated[Literal["small", "large"], Option("a size")] = "small",
    span: Annotated[tuple[float, float], Option("two numbers")] = (0.1, 0.9),
    pairs: Annotated[Mapping[str, str] | None, Option("pairs", parse=lambda text: tuple(text.split("=")))] = None,
    on: Annotated[bool, Option("switch on")] = False,
    images: Annotated[bool, Option("switch off")] = True,
) -> None: ...


def test_defaults_are_those_of_the_signature() -> None:
    assert parsed(example, "here") == {
        "place": "here",
        "again": None,
        "names": [],
        "count": 3,
        "share": None,
        "size": "small",
        "span": (0.1, 0.9),
        "pairs": {},
        "on": False,
        "images": True,
    }


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (["there"], "again", "there"),
        (["--name", "a", "--name", "b"], "names", ["a", "b"]),
        (["--count", "7"], "count", 7),
        (["--share", "0.5"], "share", 0.5),
        (["--size", "large"], "size", "large"),
        (["--span", "1", "2"], "span", [1.0, 2.0]),
        (["--pairs", "a=1", "--pairs", "b=2"], "pairs", {"a": "1", "b": "2"}),
        (["--on"], "on", True),
        (["--no-images"], "images", False),
    ],
)
def test_a_word_becomes_the_type_of_the_parameter(words: list[str], name: str, value: Any) -> None:
    assert parsed(example, "here", *words)[name] == value


@pytest.mark.parametrize("words", [["--count", "many"], ["--size", "huge"], ["--span", "1"], ["--unknown", "1"]])
def test_a_wrong_word_ends_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        parsed(example, "here", *words)
    assert end.value.code == 2
    assert words[0] in capsys.readouterr().err


def test_a_parameter_without_an_option_is_an_error_of_the_author() -> None:
    def bare(count: int) -> None: ...

    with pytest.raises(TypeError, match="'count' of a verb has no Option"):
        list(parameters_of(bare))


def test_help_shows_the_default_once() -> None:
    own = argparse.ArgumentParser(prog="test")
    Command("test", example, "test").add_to(own)
    text = " ".join(own.format_help().split())
    assert "how many (default: 3)" in text
    assert "two numbers (default: 0.1 0.9)" in text
    assert "switch on" in text
    assert "switch on (default" not in text


def commands(top: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Return the parser of every command by its name, 'data audit' among them."""
    found = {}
    for group in (action for action in top._actions if isinstance(action, argparse._SubParsersAction)):
        for name, below in group.choices.items():
            inner = commands(below)
            found |= {f"{name} {action}": verb for action, verb in inner.items()} or {name: below}
    return found


def test_every_verb_of_the_package_is_a_command_with_the_options_of_its_function() -> None:
    found = commands(parser())
    own = {verb.get_default("command").function.__name__: verb for verb in found.values()}
    assert len(own) == len(MODULES)
    for name, verb in own.items():
        function = getattr(skinframe, name)
        declared = {parameter.name for parameter in parameters_of(function)}
        assert declared <= {action.dest for action in verb._actions}, name
        required = {n for n, p in inspect.signature(function).parameters.items() if p.default is p.empty and p.kind < 2}
        assert required <= {a.dest for a in verb._actions if a.required}, name
