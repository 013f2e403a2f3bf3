"""The facts of each data set, from its TOML file: source, licence, use of each column, labels in shared classes."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from typing import Any, Literal

from skinframe import Field

LabelSet = Literal["own", "isic8", "malignancy"]

ISIC8 = ("MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC")  # of ISIC 2019 (Combalia et al. 2019, arXiv:1908.02288)
MALIGNANCY = ("benign", "malignant")


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


@dataclass(frozen=True)
class Attribute:
    """A yes-or-no finding read from a column that holds words."""

    column: str
    present: tuple[str, ...]
    absent: tuple[str, ...]


@dataclass(frozen=True)
class SetFacts:
    """Where a set comes from, how it is laid out, which column plays which part, and what its labels mean.

    `roles` says which column is the id, image, patient, lesion, source or label. `words` maps a cell to a field's word
    where the two differ; an empty word is unknown. `labels` maps the set's own label to the shared classes; one that is
    not in a shared vocabulary has no entry there. `open_labels` takes labels beyond the table. `rows_sha256` is that of
    `rows_digest` over the whole set, where its real table was at hand.
    """

    name: str
    title: str
    page: str
    licence: str
    cite: str
    images: int
    unpack: str
    table: tuple[str, ...]
    folders: tuple[str, ...]
    suffix: str
    more: tuple[str, ...]
    grouped: bool
    columns: Policy
    roles: Mapping[str, str]
    fields: tuple[Field, ...]
    words: Mapping[str, Mapping[str, str]]
    labels: Mapping[str, Mapping[str, str]]
    attributes: Mapping[str, Attribute]
    open_labels: bool
    rows_sha256: str

    @property
    def download(self) -> str:
        """Say where to get the set and how to lay it out."""
        count = f"{self.images:,} images, " if self.images else ""
        rows = f"; its rows have the SHA-256 {self.rows_sha256}" if self.rows_sha256 else ""
        about = f"{self.cite}; {count}{self.licence}{rows}"
        return f"download {self.title} ({about}) from {self.page} and unpack {self.unpack}"

    def classes(self, label_set: LabelSet) -> tuple[str, ...]:
        """Return the classes of a label set, those of the shared ones that this set can show."""
        if label_set == "own":
            return tuple(self.labels)
        if label_set == "malignancy":
            return MALIGNANCY
        shown = {shared.get("isic8") for shared in self.labels.values()}
        return tuple(name for name in ISIC8 if name in shown)

    @cached_property
    def _folds(self) -> dict[str, dict[str, str | None]]:
        """Return by field what a cell in lower case means; a field of numbers has only its exceptions."""
        folds: dict[str, dict[str, str | None]] = {
            field.name: {w.lower(): w for w in field.values} for field in self.fields
        }
        folds["label"] = {own.lower(): own for own in self.labels}
        for name, words in self.words.items():
            folds.setdefault(name, {}).update({cell.lower(): word or None for cell, word in words.items()})
        return folds

    def cell(self, field: str, text: str | None) -> str | None:
        """Return what a cell means for a field: its word, the text as it stands, or None for unknown."""
        return None if text is None else self._folds[field].get(text.lower(), text)


def read_facts(name: str) -> SetFacts:
    """Return the facts of a data set. A file with a key too many or too few raises TypeError."""
    entry = read_set(name)
    attributes = {
        key: Attribute(value["column"], tuple(value["present"]), tuple(value["absent"]))
        for key, value in entry.pop("attributes", {}).items()
    }
    fields = tuple(
        Field(name=key, **{**value, "values": tuple(value.get("values", ()))})
        for key, value in entry.pop("fields", {}).items()
    )
    optional: dict[str, Any] = {"words": {}, "labels": {}, "open_labels": False, "suffix": ".jpg", "grouped": True}
    optional["rows_sha256"] = ""
    return SetFacts(
        name=name,
        columns=policy_of(entry.pop("columns")),
        fields=fields,
        attributes=attributes,
        table=tuple(entry.pop("table")),
        folders=tuple(entry.pop("folders")),
        more=tuple(entry.pop("more", ())),
        **{**optional, **entry},
    )
