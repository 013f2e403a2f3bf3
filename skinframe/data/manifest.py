"""The manifest: one validated Arrow table of samples, in memory or as a Parquet file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from skinframe.atomic_write import write_atomic
from skinframe.data.problem_list import ProblemList, listing
from skinframe.data.row_schema import RawRow, RowSchema, arrow_schema, from_row, in_batches, to_row
from skinframe.data.safe_parquet import check_size
from skinframe.errors import DataError
from skinframe.sample import Field, Sample
from skinframe.untrusted_files import open_regular, parse_json

if TYPE_CHECKING:
    import pyarrow as pa

EMPTY_MAPS: RawRow = {"labels": (), "masks": (), "boxes": ()}  # an absent map equals an empty one: digests agree
FORMAT = "skinframe-manifest-1"
KEY = b"skinframe"
MAX_MANIFEST_ROWS = 20_000_000

__all__ = [
    "Manifest",
    "build_manifest",
    "check_samples",
    "listing",
    "read_manifest",
    "sample_problems",
    "write_manifest",
]


class Manifest(Sequence[Sample]):
    """Samples stored as columns: 400,000 take tens of megabytes. A `Sample` is created on access."""

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
        """Return the SHA-256 of every row in order; the source file and line of a row do not count."""
        return self.digest_without()

    def digest_without(self, *columns: str) -> str:
        """Return the digest without some columns."""
        total = hashlib.sha256()
        for batch in self.table.drop_columns(["file", "line", *columns]).to_batches(max_chunksize=8192):
            total.update("".join(json.dumps(row, sort_keys=True) + "\n" for row in batch.to_pylist()).encode())
        return total.hexdigest()


def build_manifest(
    source: str, rows: Iterable[RawRow], schema: RowSchema, problems: ProblemList | None = None
) -> Manifest:
    """Return the manifest of raw rows in the order of their ids.

    A raw row maps column names to text or typed values, with `file` and `line` if known. Raises one DataError that
    lists every invalid cell by line, together with the `problems` that the reader has collected.
    """
    import pyarrow as pa

    problems = ProblemList() if problems is None else problems
    target, batches, first = arrow_schema(schema), [], dict[str, int]()
    for batch in in_batches(rows):
        typed, bad = schema.typed(batch)
        for index, message in bad:
            problems.add(f"line {batch[index].get('line', '?')}: {message}")
        for row in batch:
            name, line = row.get("id"), int(row.get("line") or 0)
            if isinstance(name, str) and name in first:
                problems.add(f"line {line}: duplicate id {name[:80]}, first used in line {first[name]}")
            elif isinstance(name, str):
                first[name] = line
        if typed and not problems.total:
            batches.append(pa.RecordBatch.from_pylist([{**EMPTY_MAPS, **row} for row in typed], target))
    problems.raise_any(source)
    table = pa.Table.from_batches(batches, target).unify_dictionaries()
    return Manifest(table.sort_by("id").combine_chunks(), schema)


def sample_problems(
    samples: Iterable[Sample], fields: Sequence[Field], classes: Sequence[str], attributes: Sequence[str]
) -> Iterator[str]:
    """Yield one message per problem: ids, labels, metadata outside its field, attributes, image paths."""
    schema, seen, start = RowSchema(fields, classes, attributes), dict[str, int](), 0
    for batch in in_batches(samples):
        for index, sample in enumerate(batch, start):
            if seen.setdefault(sample.id, index) != index:
                yield f"{describe(sample)}: duplicate id in rows {seen[sample.id]} and {index}; ids must be unique"
            if sample.attributes and len(sample.attributes) != len(attributes):
                yield f"{describe(sample)}: {len(sample.attributes)} attributes; the data set has {len(attributes)}"
        _, bad = schema.typed([to_row(sample, schema) for sample in batch], strict=True)
        yield from (f"{describe(batch[index])}: {message}" for index, message in bad)
        start += len(batch)


def describe(sample: Sample) -> str:
    """Return e.g. "sample 'ISIC_0024306' (metadata.csv line 3)"."""
    return f"sample {sample.id[:80]!r}" + (f" ({sample.file} line {sample.line})" if sample.line else "")


def check_samples(
    samples: Sequence[Sample], fields: Sequence[Field], classes: Sequence[str], attributes: Sequence[str] = ()
) -> None:
    """Raise one DataError that lists the first problems and their total count; also if there are no samples."""
    if not samples:
        raise DataError("data: no samples; check the data root and the options that select rows")
    ProblemList(sample_problems(samples, fields, classes, attributes)).raise_any("data")


def write_manifest(path: Path, samples: Iterable[Sample], schema: RowSchema) -> None:
    """Write samples as one Parquet file, atomically. Raises DiskError."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    about = {
        "format": FORMAT,
        "classes": schema.classes,
        "attributes": schema.attributes,
        "fields": [asdict(field) for field in schema.fields],
    }
    target = arrow_schema(schema).with_metadata({KEY: json.dumps(about).encode()})
    buffer = pa.BufferOutputStream()
    with pq.ParquetWriter(buffer, target, compression="zstd") as writer:
        for batch in in_batches(samples, 65_536):
            rows = [to_row(sample, schema) for sample in batch]
            writer.write_batch(pa.RecordBatch.from_pylist(rows, target))
    write_atomic(path, buffer.getvalue().to_pybytes())


def read_manifest(path: Path) -> Manifest:
    """Read a manifest and validate every row again. Raises DataError naming file, row and reason."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with open_regular(path) as stream, pq.ParquetFile(stream) as file:
            check_size(path, file.metadata, MAX_MANIFEST_ROWS)
            schema = _schema(parse_json((file.schema_arrow.metadata or {}).get(KEY, b"{}"), path))
            if not file.schema_arrow.equals(arrow_schema(schema), check_metadata=False):
                raise ValueError("its columns do not match its description")
            return build_manifest(str(path), _rows(file), schema)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (pa.ArrowException, ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DataError(f"{path}: not a manifest of the format {FORMAT}: {reason}") from None


def _rows(file: Any) -> Iterator[RawRow]:
    batch: pa.RecordBatch
    for batch in file.iter_batches(8192):
        yield from batch.to_pylist()


def _schema(about: Any) -> RowSchema:
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise ValueError("it has no description of its columns")
    fields = [Field(**{**entry, "values": tuple(entry["values"])}) for entry in about["fields"]]
    return RowSchema(fields, about["classes"], about["attributes"])
