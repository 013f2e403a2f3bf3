"""Any folder of images with a CSV manifest: id, image, label, patient, lesion, age, sex, site, split."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import skinframe
from skinframe import Field, Sample
from skinframe.data.paths import path_problem
from skinframe_derm.policy import read_policy
from skinframe_derm.tables import Row, read_table

SITES = (
    *("head/neck", "anterior torso", "posterior torso", "lateral torso", "upper extremity", "lower extremity"),
    *("palms/soles", "oral/genital"),
)
YES = {"1": True, "1.0": True, "yes": True, "true": True, "0": False, "0.0": False, "no": False, "false": False}


class Table(skinframe.Dataset):
    """A folder of JPEG or PNG files and a CSV manifest with one row an image.

    Columns: `id`, `image` (relative to the root) and `label` are required; `patient` or `lesion` as `groups` says;
    `age`, `sex` (female, male), `site` and `split` (train, valid, test) are optional; every other column is ignored,
    but for those named in `attributes` (yes, no or empty).
    """

    name = "table"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        root: str = ""  # the folder that image paths are relative to
        manifest: str = "manifest.csv"  # relative to root
        classes: tuple[str, ...] = ()  # in order; empty takes the labels of the manifest, sorted
        groups: Literal["patient", "lesion", "image"] = "patient"  # the unit that no split divides
        sites: tuple[str, ...] = SITES  # the words that `site` may hold
        attributes: tuple[str, ...] = ()  # columns that are training targets, never prompt text

        def __post_init__(self) -> None:
            for name in ("classes", "sites", "attributes"):
                values = tuple(getattr(self, name))
                object.__setattr__(self, name, values)
                if len(set(values)) != len(values):
                    raise ValueError(f"{name} must not repeat a word, got {', '.join(values)}")
            taken = sorted(set(self.attributes) & read_policy("table").read)
            if taken:
                raise ValueError(f"attributes must not name {', '.join(taken)}, which has another use")

    config: Config

    def __init__(self, config: Any = None) -> None:
        super().__init__(config)
        self.level = self.config.groups  # type: ignore[misc]  # here the data, not the class, decide

    @property
    def classes(self) -> tuple[str, ...]:
        return self._read[1]

    @property
    def attributes(self) -> tuple[str, ...]:
        return self.config.attributes

    @property
    def fields(self) -> tuple[Field, ...]:
        return (
            Field(name="age", low=0, high=120, unit="years"),
            Field(name="sex", values=("female", "male")),
            Field(name="site", values=self.config.sites),
        )

    def missing(self) -> list[skinframe.Requirement]:
        path = self._path
        if self.config.root and path.is_file():
            return []
        what = f"table: {path} does not exist" if self.config.root else "table: no folder given"
        step = "write a CSV with the columns id, image, label, patient there; --set data.config.root=FOLDER names it"
        return [skinframe.Requirement(what=what, next_step=step, kind="data")]

    def samples(self) -> Sequence[Sample]:
        """Return the samples in the order of their ids. Raises DataError naming file, line and reason."""
        return self._read[0]

    def digest(self) -> str:
        """Return a digest of manifest and options; the place of the folder does not enter."""
        config = self.config
        parts = (self.name, self._read[2], config.classes, config.groups, config.sites, config.attributes)
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    def image_bytes(self, sample: Sample) -> bytes:
        from skinframe.data.images import read_confined

        return read_confined(Path(self.config.root), sample.image)

    @property
    def _path(self) -> Path:
        return Path(self.config.root) / self.config.manifest

    @cached_property
    def _read(self) -> tuple[tuple[Sample, ...], tuple[str, ...], str]:
        needs = self.missing()
        if needs:
            raise skinframe.DataError(f"{needs[0].what}; {needs[0].next_step}")
        rows: dict[str, tuple[Row, str]] = {}

        def take(row: Row) -> None:
            name, label = row.text("id"), row.text("label")
            if name is None or label is None:
                row.problem("id and label must be filled in")
            elif name in rows:
                row.problem(f"id {name[:80]} stands in line {rows[name][0].line} too")
            else:
                rows[name] = (row, label)
                self._check(row, label)

        columns = read_policy(self.name).read | set(self.config.attributes)
        group = () if self.config.groups == "image" else (self.config.groups,)
        required = ("id", "image", "label", *group, *self.config.attributes)
        digest = read_table(self._path, columns, required, take)
        classes = self.config.classes or tuple(sorted({label for _, label in rows.values()}))
        samples = tuple(self._sample(name, *rows[name], classes) for name in sorted(rows))
        return samples, classes, digest

    def _check(self, row: Row, label: str) -> None:
        """Put what is wrong with a row on the list; parsing a cell does so too, and is repeated for the sample."""
        if self.config.classes and label not in self.config.classes:
            row.problem(f"label {label[:60]!r} is not one of {', '.join(self.config.classes)}")
        problem = path_problem(row.text("image") or "")
        if problem:
            row.problem(f"image {(row.text('image') or '')[:80]!r} {problem}")
        if self.config.groups != "image" and row.text(self.config.groups) is None:
            row.problem(f"no {self.config.groups}; fill it in or set data.config.groups to a smaller unit")
        self._sample("", row, label, (label,))

    def _sample(self, name: str, row: Row, label: str, classes: Sequence[str]) -> Sample:
        return Sample(
            id=name,
            image=row.text("image") or "",
            label=classes.index(label),
            patient=row.text("patient") if self.config.groups == "patient" else None,
            lesion=row.text("lesion") if self.config.groups != "image" else None,
            metadata={
                "age": row.number("age", 0, 120),
                "sex": row.word("sex", ("female", "male")),
                "site": row.word("site", self.config.sites),
            },
            attributes=tuple(row.parsed(column, _yes_or_no) for column in self.config.attributes),
            split=row.word("split", ("train", "valid", "test")),
        )


def _yes_or_no(value: str) -> bool:
    if value.lower() not in YES:
        raise ValueError(f"{value[:60]!r} is neither yes nor no")
    return YES[value.lower()]
