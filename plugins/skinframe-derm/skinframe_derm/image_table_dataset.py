"""Any folder of images with a manifest, CSV or Parquet: id, image, label, patient, lesion, age, sex, site, split."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import skinframe
from skinframe import Field, Sample
from skinframe.data.manifest import Manifest, build_manifest, read_manifest
from skinframe.data.problem_list import ProblemList
from skinframe.data.row_schema import ATTRIBUTE, META, RawRow, RowSchema
from skinframe_derm.class_names import class_titles, malignant_classes
from skinframe_derm.csv_tables import Row, table_rows
from skinframe_derm.dataset_facts import read_policy

SITES = (
    *("head/neck", "anterior torso", "posterior torso", "lateral torso", "upper extremity", "lower extremity"),
    *("palms/soles", "oral/genital"),
)
YES = {"1.0": "yes", "0.0": "no"}  # what the schema does not read as yes or no by itself


class Table(skinframe.Dataset):
    """A folder of JPEG or PNG files and a CSV manifest with one row an image.

    Columns: `id`, `image` (relative to the root) and `label` are required; `patient` or `lesion` as `groups` says;
    `age`, `sex` (female, male), `site` and `split` (train, valid, test) are optional; every other column is ignored,
    but for those named in `attributes` (yes, no or empty). A `.parquet` manifest is one that skinframe wrote, and says
    itself which fields, classes and attributes it has.
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
        modality: Literal["", "dermoscopy", "clinical photograph"] = ""  # how the images were taken; texts name it

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
        self.modality = self.config.modality

    @property
    def classes(self) -> tuple[str, ...]:
        return self._read.schema.classes

    @property
    def class_titles(self) -> Mapping[str, str]:
        return class_titles(self.classes)

    @property
    def malignant(self) -> tuple[str, ...]:
        return malignant_classes(self.classes, self.label_map())

    @property
    def attributes(self) -> tuple[str, ...]:
        return self._read.schema.attributes if self._parquet_named else self.config.attributes

    @property
    def fields(self) -> tuple[Field, ...]:
        if self._parquet_named:
            return self._read.schema.fields
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
        return self._read

    def digest(self) -> str:
        """Return a digest of samples and options; columns that nothing reads and the folder's place do not enter."""
        config = self.config
        parts = (self.name, self._read.digest, self.classes, config.groups, config.sites, config.attributes)
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    def image_bytes(self, sample: Sample) -> bytes:
        from skinframe.data.images import read_confined

        return read_confined(Path(self.config.root), sample.image)

    @property
    def _parquet_named(self) -> bool:
        return self.config.manifest.endswith(".parquet")

    @property
    def _path(self) -> Path:
        return Path(self.config.root) / self.config.manifest

    @cached_property
    def _read(self) -> Manifest:
        needs = self.missing()
        if needs:
            raise skinframe.DataError(f"{needs[0].what}; {needs[0].next_step}")
        if self._path.suffix == ".parquet":
            return self._parquet()
        problems = ProblemList()
        classes = self.config.classes or tuple(
            sorted({row.verbatim("label") or "" for row in self._rows(ProblemList())} - {""})
        )
        group = None if self.config.groups == "image" else self.config.groups
        schema = RowSchema(self.fields, classes, self.config.attributes, group)
        return build_manifest(str(self._path), map(self._raw, self._rows(problems)), schema, problems)

    def _rows(self, problems: ProblemList) -> Iterator[Row]:
        columns = read_policy(self.name).read | set(self.config.attributes)
        group = () if self.config.groups == "image" else (self.config.groups,)
        return table_rows(self._path, columns, ("id", "image", "label", *group, *self.config.attributes), problems)

    def _raw(self, row: Row) -> RawRow:
        words = {"sex": ("female", "male"), "site": self.config.sites}
        raw: dict[str, object] = {name: row.verbatim(name) for name in ("id", "image", "label")}
        raw["split"] = row.text("split")
        raw["image"] = str(raw["image"] or "").replace("\\", "/") or None  # as Windows writes paths
        raw |= {"file": self.config.manifest, "line": row.line, META + "age": row.text("age")}
        raw |= {META + name: _folded(row.text(name), known) for name, known in words.items()}
        raw["patient"] = row.text("patient") if self.config.groups == "patient" else None
        raw["lesion"] = row.text("lesion") if self.config.groups != "image" else None
        return raw | {ATTRIBUTE + name: YES.get(text or "", text) for name, text in self._findings(row)}

    def _findings(self, row: Row) -> Iterator[tuple[str, str | None]]:
        return ((name, row.text(name)) for name in self.config.attributes)

    def _parquet(self) -> Manifest:
        manifest = read_manifest(self._path)
        classes = self.config.classes
        if classes and classes != manifest.schema.classes:
            stated = ", ".join(manifest.schema.classes)
            raise skinframe.DataError(f"{self._path}: holds the classes {stated}; leave data.config.classes out")
        return grouped(manifest, self.config.groups, str(self._path))


def grouped(manifest: Manifest, groups: str, source: str) -> Manifest:
    """Return the manifest with no group id larger than `groups`. Raises DataError where a row lacks its own."""
    import pyarrow as pa

    table, unit = manifest.table, {"patient": 0, "lesion": 1, "image": 2}[groups]
    if unit < 2 and table[groups].null_count:
        raise skinframe.DataError(
            f"{source}: {table[groups].null_count} rows have no {groups}; set data.config.groups to a smaller unit"
        )
    for name in ("patient", "lesion")[:unit]:
        table = table.set_column(table.column_names.index(name), name, pa.nulls(table.num_rows, pa.string()))
    return Manifest(table, manifest.schema)


def _folded(text: str | None, known: Sequence[str]) -> str | None:
    """Return the known word however its letters are cased, else the text as it stands."""
    return None if text is None else next((word for word in known if word.lower() == text.lower()), text)
