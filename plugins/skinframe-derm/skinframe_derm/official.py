"""What the sets with an official download share: plain functions that a set's class takes as its methods.

A set says what is its own in `sets/NAME.toml` and in `rows`; `reading` is `cached_property(official.read)`.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skinframe import DataError, Field, Requirement, Sample
from skinframe.data.manifest import Manifest, build_manifest
from skinframe.data.rows import Raw, RowSchema
from skinframe_derm.facts import Facts, read_facts
from skinframe_derm.folder import Folder, by_index, one_hot

__all__ = ["Folder", "by_index", "one_hot"]  # with what stands here, all that a set's file needs


@dataclass(frozen=True)
class Reading:
    """A set as read: the manifest, and how many rows the label set has no class for."""

    manifest: Manifest
    left_out: Mapping[str, int]


def one_table(dataset: Any, folder: Folder) -> Iterator[Raw]:
    """Yield the rows of a set whose one table has a label column; images go by id where no column names them."""
    roles = folder.facts.roles
    for row in folder.rows(folder.table(), [roles["id"], roles["label"]]):
        name = row.text(roles["image"] if "image" in roles else roles["id"])
        stem = os.path.splitext(name)[0] if name and "image" in roles else name
        yield {**folder.raw(row, row.text(roles["label"])), "image": folder.image(stem)}


def read(dataset: Any) -> Reading:
    """Read a set into its manifest. Raises DataError naming what is not there, or every bad row."""
    folder = Folder(Path(dataset.config.root), dataset.facts)
    needs = _absent_tables(dataset)
    if needs:
        raise DataError(f"{needs[0].what}; {needs[0].next_step}")
    left_out: Counter[str] = Counter()
    rows: Iterable[Raw] = _labelled(dataset.rows(folder), dataset.config.label_set, dataset.facts, left_out)
    known = dataset.facts.classes(dataset.config.label_set)
    if dataset.facts.open_labels and dataset.config.label_set == "own":
        rows = list(rows)
        known = tuple(sorted({str(row["label"]) for row in rows}))
    group = None if dataset.level == "image" else dataset.level if dataset.facts.grouped else None
    schema = RowSchema(fields(dataset), known, tuple(dataset.facts.attributes), group)
    manifest = build_manifest(str(folder.root / folder.table()), rows, schema, folder.problems)
    return Reading(manifest, left_out)


def _labelled(rows: Iterable[Raw], label_set: str, facts: Facts, left_out: Counter[str]) -> Iterator[Raw]:
    """Yield the rows with the label of the label set, and count those that it has no class for."""
    for row in rows:
        labels = row["labels"]
        own = labels.get("own")
        if label_set in labels or own is None or (own not in facts.labels and not facts.open_labels):
            yield {**row, "label": labels.get(label_set, row["label"]), "labels": list(labels.items())}
        else:
            left_out[own] += 1


def classes(dataset: Any) -> tuple[str, ...]:
    if dataset.facts.open_labels and dataset.config.label_set == "own":
        return tuple(dataset.reading.manifest.schema.classes)
    return tuple(dataset.facts.classes(dataset.config.label_set))


def fields(dataset: Any) -> tuple[Field, ...]:
    return tuple(dataset.facts.fields)


def attributes(dataset: Any) -> tuple[str, ...]:
    return tuple(dataset.facts.attributes)


def samples(dataset: Any) -> Sequence[Sample]:
    """Return the samples in the order of their ids. Raises DataError naming file, line and reason."""
    manifest: Manifest = dataset.reading.manifest
    return manifest


def left_out(dataset: Any) -> Mapping[str, int]:
    counted: Mapping[str, int] = dataset.reading.left_out
    return counted


def image_bytes(dataset: Any, sample: Sample) -> bytes:
    from skinframe.data.images import read_confined

    return read_confined(Path(dataset.config.root), sample.image)


def digest(dataset: Any) -> str:
    """Return a digest of manifest and options; columns that nothing reads and the files' places do not enter."""
    options = {name: value for name, value in vars(dataset.config).items() if name != "root"}
    parts = (dataset.name, sorted(options.items()), dataset.reading.manifest.digest_without("image"))
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def missing(dataset: Any) -> list[Requirement]:
    """Return what is not there: the folder, a table, or every folder that may hold the images."""
    needs = _absent_tables(dataset)
    root, facts = Path(dataset.config.root), dataset.facts
    if not needs and not any((root / folder).exists() for folder in facts.folders):
        what = f"{facts.title}: {root / facts.folders[0]} does not exist"
        needs.append(Requirement(what=what, next_step=facts.download, kind="data"))
    return needs


def _absent_tables(dataset: Any) -> list[Requirement]:
    facts: Facts = dataset.facts
    if not dataset.config.root:
        what, step = f"{facts.title}: no folder given", f"--set data.config.root=FOLDER; {facts.download}"
        return [Requirement(what=what, next_step=step, kind="data")]
    root = Path(dataset.config.root)
    wanted = [facts.table, *((name,) for name in facts.more)]
    absent = [names[0] for names in wanted if not any((root / name).is_file() for name in names)]
    whats = [f"{facts.title}: {root / name} does not exist" for name in absent]
    return [Requirement(what=what, next_step=facts.download, kind="data") for what in whats]


def facts_of(dataset: Any) -> Facts:
    return read_facts(dataset.name)
