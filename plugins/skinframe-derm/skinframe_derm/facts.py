"""What a data set is, as data: one TOML file a set, read and typed here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from skinframe import Field
from skinframe_derm.policy import Policy, policy_of, read_set
from skinframe_derm.taxonomy import ISIC8, MALIGNANCY, LabelSet


@dataclass(frozen=True)
class Attribute:
    """A yes-or-no finding read from a column that holds words."""

    column: str
    present: tuple[str, ...]
    absent: tuple[str, ...]


@dataclass(frozen=True)
class Facts:
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


def read_facts(name: str) -> Facts:
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
    return Facts(
        name=name,
        columns=policy_of(entry.pop("columns")),
        fields=fields,
        attributes=attributes,
        table=tuple(entry.pop("table")),
        folders=tuple(entry.pop("folders")),
        more=tuple(entry.pop("more", ())),
        **{**optional, **entry},
    )
