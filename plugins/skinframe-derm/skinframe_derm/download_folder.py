"""The unpacked download of a set: its tables, its images by name, and raw manifest rows out of table rows."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from skinframe import DataError
from skinframe.data.problem_list import ProblemList
from skinframe.data.row_schema import ATTRIBUTE, META, RawRow
from skinframe_derm.csv_tables import Row, table_rows
from skinframe_derm.dataset_facts import SetFacts

GROUPS = ("patient", "lesion", "source")


class Folder:
    """The unpacked download: its tables, and its images by name."""

    def __init__(self, root: Path, facts: SetFacts) -> None:
        self.root, self.facts, self.problems = root, facts, ProblemList()

    def rows(self, table: str, required: Sequence[str]) -> Iterator[Row]:
        """Yield the rows of a table; only columns that the policy lets be read are in them."""
        return table_rows(self.root / table, self.facts.columns.read, required, self.problems, table != self.table())

    def table(self) -> str:
        """Return the main table that is there, or the first name that it may have."""
        return next((name for name in self.facts.table if (self.root / name).is_file()), self.facts.table[0])

    @cached_property
    def _found(self) -> dict[str, str]:
        """Return the relative path by file name without its ending, over all image folders."""
        tables: dict[str, str] = {}
        for folder in reversed([name for name in self.facts.folders if (self.root / name).is_dir()]):
            for entry in os.scandir(self.root / folder):
                stem, _, ending = entry.name.rpartition(".")
                if ending.lower() in ("jpg", "jpeg", "png"):
                    tables[stem] = f"{folder}/{entry.name}"
        return tables

    def image(self, stem: str | None) -> str | None:
        """Return the image's path; one that is not there keeps its official path, for the image policy to judge."""
        if stem is None:
            return None
        return self._found.get(stem, f"{self.facts.folders[0]}/{stem}{self.facts.suffix}")

    def raw(self, row: Row, own: str | None) -> dict[str, Any]:
        """Return the raw manifest row of a table row: groups, metadata, attributes, labels; id and image by role."""
        facts, roles = self.facts, self.facts.roles
        raw: dict[str, Any] = {"id": row.verbatim(roles["id"]), "file": self.table(), "line": row.line}
        raw |= {role: row.text(roles[role]) for role in GROUPS if role in roles}
        raw |= {META + name: facts.cell(name, row.text(column)) for column, name in facts.columns.prompt.items()}
        for name, attribute in facts.attributes.items():
            raw[ATTRIBUTE + name] = _finding(row, attribute.column, attribute.present, attribute.absent)
        own = facts.cell("label", own)
        labels = {"own": own} if own is not None else {}
        return raw | {"label": own, "labels": {**labels, **facts.labels.get(own or "", {})}}


def _finding(row: Row, column: str, present: Sequence[str], absent: Sequence[str]) -> bool | None:
    word = row.word(column, [*present, *absent])
    return None if word is None else word in present


def one_hot(row: Row, names: Sequence[str]) -> str | None:
    """Return the column that holds 1; puts on the row's list what is not a one among zeros."""
    hot = [name for name in names if row.number(name, 0, 1)]
    if len(hot) != 1:
        row.problem(f"{len(hot)} of {', '.join(names)} are 1; expected one")
    return hot[0] if len(hot) == 1 else None


def by_index(folder: Folder, files: Mapping[str, str]) -> dict[int, str]:
    """Return the official part by row number, from one list of row numbers a part."""
    parts: dict[int, str] = {}
    for part, table in files.items():
        if not (folder.root / table).is_file():
            raise DataError(f"{folder.root / table} does not exist; {folder.facts.download}")
        for row in folder.rows(table, ["indexes"]):
            place = row.number("indexes", 0, 10**9)
            if place is not None and parts.setdefault(int(place), part) != part:
                row.problem(f"row {int(place)} stands in {parts[int(place)]} and {part}")
    return parts


def one_table(folder: Folder) -> Iterator[RawRow]:
    """Yield the rows of a set whose one table has a label column; images go by id where no column names them."""
    roles = folder.facts.roles
    for row in folder.rows(folder.table(), [roles["id"], roles["label"]]):
        name = row.text(roles["image"] if "image" in roles else roles["id"])
        stem = os.path.splitext(name)[0] if name and "image" in roles else name
        yield {**folder.raw(row, row.text(roles["label"])), "image": folder.image(stem)}
