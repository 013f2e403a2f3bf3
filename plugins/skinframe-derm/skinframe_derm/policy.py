"""Which column may go where, as data: into the prompt, into the split, into the label, or nowhere."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any


@dataclass(frozen=True)
class Policy:
    """`prompt` maps a column to the metadata field it may become. A column that no list names goes nowhere.

    `optional` columns are those that a set adds to the prompt where an option of it says so.
    """

    prompt: Mapping[str, str]
    split: tuple[str, ...]
    label: tuple[str, ...]
    never: tuple[str, ...]
    optional: tuple[str, ...] = ()

    @property
    def read(self) -> frozenset[str]:
        """Return the columns that a reader may hand on at all."""
        return frozenset(self.prompt) | frozenset(self.split) | frozenset(self.label)


def policy_of(entry: Mapping[str, Any]) -> Policy:
    """Return a typed policy. Raises ValueError where a column stands under two headings."""
    lists = {name: tuple(columns) for name, columns in entry.items() if name != "prompt"}
    policy = Policy(prompt=dict(entry["prompt"]), **lists)
    every = [*policy.prompt, *policy.split, *policy.label, *policy.never, *policy.optional]
    twice = sorted({column for column in every if every.count(column) > 1})
    if twice:
        raise ValueError(f"policy: {', '.join(twice)} stands under two headings; a column has one use")
    return policy


def read_policy(name: str) -> Policy:
    """Return the column policy of a data set."""
    return policy_of(read_set(name)["columns"])


def read_set(name: str) -> dict[str, Any]:
    """Return the TOML file of a data set."""
    return tomllib.loads(resources.files("skinframe_derm.sets").joinpath(f"{name}.toml").read_text("utf-8"))
