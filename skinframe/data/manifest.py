"""The manifest: one typed Arrow table of samples, in memory or as Parquet, and what must hold of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

from skinframe.data.arrow import arrow_schema, from_row, to_row
from skinframe.data.problems import Problems, listing
from skinframe.data.rows import Raw, RowSchema, in_batches
from skinframe.errors import DataError
from skinframe.sample import Field, Sample

if TYPE_CHECKING:
    import pyarrow as pa

NONE: Raw = {"labels": (), "masks": (), "boxes": ()}  # an absent map is an empty one, so that digests agree

__all__ = ["Manifest", "build_manifest", "check_samples", "listing", "sample_problems"]


class Manifest(Sequence[Sample]):
    """Samples that live as columns: 400,000 take tens of megabytes, and a Sample is made when it is asked for."""

    def __init__(self, table: pa.Table, schema: RowSchema) -> None:
        self.table, self.schema = table, schema
        self._codes = {name: code for code, name in enumerate(schema.classes)}

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> Manifest: ...
    def __getitem__(self, index: int | slice) -> Sample | Manifest:
        if isinstance(index, slice):
            return Manifest(self.table.take(list(range(len(self))[index])), self.schema)
        return self._sample(self.table.slice(range(len(self))[index], 1).to_pylist()[0])

    def __iter__(self) -> Iterator[Sample]:
        for batch in self.table.to_batches(max_chunksize=8192):
            yield from map(self._sample, batch.to_pylist())

    def _sample(self, row: dict[str, Any]) -> Sample:
        return from_row(row, self.schema, self._codes)

    @cached_property
    def digest(self) -> str:
        """Return the SHA-256 of every row in order; where a row stood in its file does not enter."""
        return self.digest_without()

    def digest_without(self, *columns: str) -> str:
        """Return the digest with some columns left out."""
        total = hashlib.sha256()
        for batch in self.table.drop_columns(["file", "line", *columns]).to_batches(max_chunksize=8192):
            total.update("".join(json.dumps(row, sort_keys=True) + "\n" for row in batch.to_pylist()).encode())
        return total.hexdigest()


def build_manifest(source: str, rows: Iterable[Raw], schema: RowSchema, problems: Problems | None = None) -> Manifest:
    """Return the manifest of raw rows in the order of their ids.

    A raw row maps column names to text or typed values, with `file` and `line` where it has them. Raises one DataError
    that lists every bad cell by line, with those that the reader has put on `problems` before or meanwhile.
    """
    import pyarrow as pa

    problems = Problems() if problems is None else problems
    target, batches, first = arrow_schema(schema), [], dict[str, int]()
    for batch in in_batches(rows):
        typed, bad = schema.typed(batch)
        for index, what in bad:
            problems.add(f"line {batch[index].get('line', '?')}: {what}")
        for row in batch:
            name, line = row.get("id"), int(row.get("line") or 0)
            if isinstance(name, str) and name in first:
                problems.add(f"line {line}: id {name[:80]} stands in line {first[name]} too")
            elif isinstance(name, str):
                first[name] = line
        if typed and not problems.total:
            batches.append(pa.RecordBatch.from_pylist([{**NONE, **row} for row in typed], target))
    problems.stop(source)
    table = pa.Table.from_batches(batches, target).unify_dictionaries()
    return Manifest(table.sort_by("id").combine_chunks(), schema)


def sample_problems(
    samples: Iterable[Sample], fields: Sequence[Field], classes: Sequence[str], attributes: Sequence[str]
) -> Iterator[str]:
    """Yield one sentence a problem: ids, labels, metadata outside its field, attributes, image references."""
    schema, seen, start = RowSchema(fields, classes, attributes), dict[str, int](), 0
    for batch in in_batches(samples):
        for index, sample in enumerate(batch, start):
            if seen.setdefault(sample.id, index) != index:
                yield f"{place(sample)}: the id stands in rows {seen[sample.id]} and {index}; ids must be unique"
            if sample.attributes and len(sample.attributes) != len(attributes):
                yield f"{place(sample)}: {len(sample.attributes)} attributes where the set has {len(attributes)}"
        _, bad = schema.typed([to_row(sample, schema) for sample in batch], strict=True)
        yield from (f"{place(batch[index])}: {what}" for index, what in bad)
        start += len(batch)


def place(sample: Sample) -> str:
    """Return e.g. "sample 'ISIC_0024306' (metadata.csv line 3)"."""
    return f"sample {sample.id[:80]!r}" + (f" ({sample.file} line {sample.line})" if sample.line else "")


def check_samples(
    samples: Sequence[Sample], fields: Sequence[Field], classes: Sequence[str], attributes: Sequence[str] = ()
) -> None:
    """Raise one DataError that lists the first problems and how many there are in all; also for an empty set."""
    if not samples:
        raise DataError("data: no samples; check the data root and the options that select rows")
    Problems(sample_problems(samples, fields, classes, attributes)).stop("data")
