"""What sets with an official download share: reading, labels, published rows, institutions, and what is missing."""

from __future__ import annotations

import hashlib
import tomllib
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from typing import Any, ClassVar

from skinframe import DataError, Field, Requirement, Sample
from skinframe.data.manifest import Manifest, build_manifest
from skinframe.data.row_schema import RawRow, RowSchema
from skinframe_derm.class_names import class_titles, malignant_classes
from skinframe_derm.dataset_facts import LabelSet, SetFacts, read_facts
from skinframe_derm.download_folder import Folder


@cache
def institutions() -> Mapping[str, Mapping[str, Any]]:
    """Return the table of institutions.toml by the sets' names."""
    text = resources.files("skinframe_derm").joinpath("institutions.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def context(dataset: Any, sample: Sample) -> Mapping[str, str]:
    """Return source, institution and modality of a sample, those that are known."""
    entry = institutions().get(dataset.name, {})
    own = entry.get("source", {}).get(sample.source, "") if sample.source is not None else ""
    facts = {
        "source": sample.source or "",
        "institution": own or entry.get("institution", ""),
        "modality": entry.get("modality", ""),
    }
    return {name: value for name, value in facts.items() if value}


def rows_digest(samples: Sequence[Sample]) -> str:
    """Return the SHA-256 of the sorted lines `id,own label,patient,lesion`, each ended by a line feed, in UTF-8."""
    lines = sorted(f"{s.id},{s.labels.get('own', '')},{s.patient or ''},{s.lesion or ''}\n" for s in samples)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def compared(facts: SetFacts, samples: Sequence[Sample], left_out: Mapping[str, int]) -> str:
    """Say whether the rows are the published ones, where a digest of those is known and all of them are read."""
    if not facts.rows_sha256:
        return f"{len(samples):,} of {facts.images:,} published rows; no checksum of them is known"
    if left_out:
        return f"not compared with the published rows: the label set leaves out {sum(left_out.values()):,}"
    if rows_digest(samples) == facts.rows_sha256:
        return f"the published rows, SHA-256 {facts.rows_sha256[:16]}"
    return f"not the published rows: {len(samples):,} of {facts.images:,}, or other ids, labels or groups"


@dataclass(frozen=True)
class ReadSet:
    """A set as read: the manifest, and how many rows the label set has no class for."""

    manifest: Manifest
    left_out: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class DownloadConfig:
    """Options that every set with an official download has."""

    root: str = ""  # the folder of the unpacked download
    label_set: LabelSet = "malignancy"


class Official(ABC):
    """Everything of a data set but its own options and its `rows`; comes before `skinframe.Dataset` among the bases."""

    name: ClassVar[str]
    level: ClassVar[str]
    config: Any
    modality: str

    def __init__(self, config: Any = None) -> None:
        super().__init__(config)  # type: ignore[call-arg]  # of Dataset, which comes after this class among the bases
        self.modality = str(institutions().get(self.name, {}).get("modality", ""))

    @abstractmethod
    def rows(self, folder: Folder) -> Iterator[RawRow]:
        """Yield the raw manifest rows of the unpacked download."""

    @cached_property
    def facts(self) -> SetFacts:
        return read_facts(self.name)

    @cached_property
    def reading(self) -> ReadSet:
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
        return ReadSet(manifest, left_out)

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

    @property
    def class_titles(self) -> Mapping[str, str]:
        return class_titles(self.classes)

    @property
    def malignant(self) -> tuple[str, ...]:
        return malignant_classes(self.classes, self.label_map())

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


def _labelled(rows: Iterable[RawRow], label_set: str, facts: SetFacts, left_out: Counter[str]) -> Iterator[RawRow]:
    """Yield the rows with the label of the label set, and count those that it has no class for."""
    for row in rows:
        labels = row["labels"]
        own = labels.get("own")
        if label_set in labels or own is None or (own not in facts.labels and not facts.open_labels):
            yield {**row, "label": labels.get(label_set, row["label"]), "labels": list(labels.items())}
        else:
            left_out[own] += 1
