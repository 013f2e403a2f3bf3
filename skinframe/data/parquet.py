"""A manifest as one Parquet file, checked again when it is read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skinframe.data.arrow import arrow_schema, to_row
from skinframe.data.manifest import Manifest, build_manifest
from skinframe.data.rows import Raw, RowSchema, in_batches
from skinframe.durable import write_atomic
from skinframe.errors import DataError
from skinframe.sample import Field, Sample

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = "skinframe-manifest-1"
KEY = b"skinframe"
MOST_BYTES = 4 * 2**30


def write_manifest(path: Path, samples: Iterable[Sample], schema: RowSchema) -> None:
    """Write samples as a manifest, whole or not at all. Raises DiskError."""
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
    """Return the manifest. Raises DataError naming file, row and reason; nothing is taken on trust from the file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        if path.stat().st_size > MOST_BYTES:
            raise DataError(f"{path}: larger than any manifest; expected one written by skinframe")
        with pq.ParquetFile(path) as file:
            schema = _schema(json.loads((file.schema_arrow.metadata or {}).get(KEY, b"{}")))
            if not file.schema_arrow.equals(arrow_schema(schema), check_metadata=False):
                raise ValueError("its columns do not fit its description")
            return build_manifest(str(path), _rows(file), schema)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (pa.ArrowException, ValueError, TypeError, KeyError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DataError(f"{path}: not a manifest of the format {FORMAT}: {reason}") from None


def _rows(file: Any) -> Iterator[Raw]:
    batch: pa.RecordBatch
    for batch in file.iter_batches(8192):
        yield from batch.to_pylist()


def _schema(about: Any) -> RowSchema:
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise ValueError("it carries no description of its columns")
    fields = [Field(**{**entry, "values": tuple(entry["values"])}) for entry in about["fields"]]
    return RowSchema(fields, about["classes"], about["attributes"])
