"""Which column may go where, as data: into the prompt, into the split, into the label, or nowhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True)
class Policy:
    """`prompt` maps a column to the metadata field it may become. A column that no list names goes nowhere."""

    prompt: Mapping[str, str]
    split: tuple[str, ...]
    label: tuple[str, ...]
    never: tuple[str, ...]

    @property
    def read(self) -> frozenset[str]:
        """Return the columns that a reader may hand on at all."""
        return frozenset(self.prompt) | frozenset(self.split) | frozenset(self.label)


def read_policy(name: str) -> Policy:
    """Return the column policy of a data set."""
    entry = json.loads(resources.files("skinframe_derm").joinpath("policy.json").read_text(encoding="utf-8"))[name]
    return Policy(entry["prompt"], tuple(entry["split"]), tuple(entry["label"]), tuple(entry["never"]))
