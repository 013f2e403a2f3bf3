"""What the sets with an official download share. A set says what is its own in `sets/NAME.toml` and in `rows`."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from skinframe import DataError, Field, Requirement, Sample
from skinframe.data.manifest import Manifest, build_manifest
from skinframe.data.row_schema import RawRow, RowSchema
from skinframe_derm.facts import Facts, read_facts
from skinframe_derm.folder import Folder
from skinframe_derm.institutions import context
from skinframe_derm.published import compared


@dataclass(frozen=True)
class Reading:
    """A set as read: the manifest, and how many rows the label set has no class for."""

    manifest: Manifest
    left_out: Mapping[str, int]


class Official(ABC):
    """Everything of a data set but its options and its `rows`; stands before `skinframe.Dataset` in the list of bases.

    Its options have a `root` and a `label_set`.
    """

    name: ClassVar[str]
    level: ClassVar[str]
    config: Any

    @abstractmethod
    def rows(self, folder: Folder) -> Iterator[RawRow]:
        """Yield the raw manifest rows of the unpacked download."""

    @cached_property
    def facts(self) -> Facts:
        return read_facts(self.name)

    @cached_property
    def reading(self) -> Reading:
        """The set as read. Raises DataError naming what is not there, or every bad row."""
        facts, label_set = self.facts, self.config.label_set
        folder = Folder(self._root, facts)
        needs = self._absent_tables()
        if needs:
            raise DataError(f"{needs[0].what}; {needs[0].next_step}")
        left_out: Counter[str] = Counter()
        rows: Iterable[RawRow] = _labelled(self.rows(folder), label_set, facts, left_out)
        known = facts.classes(label_set)
        if self._open:
            rows = list(rows)
            known = tuple(sorted({str(row["label"]) for row in rows}))
        group = None if self.level == "image" else self.level if facts.grouped else None
        schema = RowSchema(self.fields, known, self.attributes, group)
        manifest = build_manifest(str(folder.root / folder.table()), rows, schema, folder.problems)
        return Reading(manifest, left_out)

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(self.reading.manifest.schema.classes) if self._open else self.facts.classes(self.config.label_set)

    @property
    def fields(self) -> tuple[Field, ...]:
        return self.facts.fields

    @property
    def attributes(self) -> tuple[str, ...]:
        return tuple(self.facts.attributes)

    def samples(self) -> Sequence[Sample]:
        """Return the samples in the order of their ids. Raises DataError naming file, line and reason."""
        return self.reading.manifest

    def left_out(self) -> Mapping[str, int]:
        return self.reading.left_out

    def label_map(self) -> Mapping[str, Mapping[str, str]]:
        return self.facts.labels

    def published(self) -> str:
        return compared(self.facts, self.samples(), self.left_out())

    def context(self, sample: Sample) -> Mapping[str, str]:
        return context(self, sample)

    def image_bytes(self, sample: Sample) -> bytes:
        from skinframe.data.images import read_confined

        return read_confined(self._root, sample.image)

    def digest(self) -> str:
        """Return a digest of manifest and options; columns that nothing reads and the files' places do not enter."""
        options = {name: value for name, value in vars(self.config).items() if name != "root"}
        parts = (self.name, sorted(options.items()), self.reading.manifest.digest_without("image"))
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    def missing(self) -> list[Requirement]:
        """Return what is not there: the folder, a table, or every folder that may hold the images."""
        needs, facts = self._absent_tables(), self.facts
        if not needs and not any((self._root / folder).exists() for folder in facts.folders):
            what = f"{facts.title}: {self._root / facts.folders[0]} does not exist"
            needs.append(Requirement(what=what, next_step=facts.download, kind="data"))
        return needs

    def _absent_tables(self) -> list[Requirement]:
        facts, root = self.facts, self._root
        if not self.config.root:
            what, step = f"{facts.title}: no folder given", f"--set data.config.root=FOLDER; {facts.download}"
            return [Requirement(what=what, next_step=step, kind="data")]
        wanted = [facts.table, *((name,) for name in facts.more)]
        absent = [names[0] for names in wanted if not any((root / name).is_file() for name in names)]
        whats = [f"{facts.title}: {root / name} does not exist" for name in absent]
        return [Requirement(what=what, next_step=facts.download, kind="data") for what in whats]

    @property
    def _root(self) -> Path:
        return Path(self.config.root)

    @property
    def _open(self) -> bool:
        """Whether the classes are what the table holds, and not known before."""
        return self.facts.open_labels and self.config.label_set == "own"


def _labelled(rows: Iterable[RawRow], label_set: str, facts: Facts, left_out: Counter[str]) -> Iterator[RawRow]:
    """Yield the rows with the label of the label set, and count those that it has no class for."""
    for row in rows:
        labels = row["labels"]
        own = labels.get("own")
        if label_set in labels or own is None or (own not in facts.labels and not facts.open_labels):
            yield {**row, "label": labels.get(label_set, row["label"]), "labels": list(labels.items())}
        else:
            left_out[own] += 1
