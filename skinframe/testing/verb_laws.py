"""The laws of a verb. They check its options only, since its inputs are unknown."""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from pathlib import Path
from typing import Any, Literal

from hypothesis import strategies as st

from skinframe.components import Verb
from skinframe.testing.law_and_check import Law, Suite

WORD = re.compile(r"[a-z][a-z0-9_-]*")
PLAIN = (str, int, float, bool, Path)


def named(verb: Verb, _: None) -> None:
    """Its name is a word of the command line: lower-case letters, digits, hyphens and underscores."""
    assert WORD.fullmatch(verb.name), f"the name '{verb.name}' is no such word"


def described(verb: Verb, _: None) -> None:
    """`help` is one line, and so is that of every option."""
    texts = {"help": getattr(verb, "help", "")}
    texts |= {f"option '{each.name}'": each.metadata.get("help", "") for each in dataclasses.fields(verb.Config)}
    for where, text in texts.items():
        assert isinstance(text, str), f"{where} is {text!r}, not a text"
        assert text.strip(), f"{where} is blank"
        assert "\n" not in text, f"{where} has several lines"


def readable(verb: Verb, _: None) -> None:
    """Every option has a type that the command line can read."""
    hints = typing.get_type_hints(verb.Config)
    for each in dataclasses.fields(verb.Config):
        assert _readable(hints[each.name]), f"option '{each.name}' is {hints[each.name]}, which no argument can be"


LAWS = (named, described, readable)
VERB = Suite("verb", tuple(map(Law, LAWS)), lambda verb, law: st.none(), examples=1)


def _readable(hint: Any) -> bool:
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        rest = [part for part in parts if part is not type(None)]
        return len(rest) == 1 and _readable(rest[0])
    if origin is tuple:
        return len(parts) == 2 and parts[1] is Ellipsis and parts[0] in PLAIN
    return hint in PLAIN or (origin is Literal and all(isinstance(part, str) for part in parts))
