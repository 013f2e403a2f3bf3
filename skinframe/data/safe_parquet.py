"""Parquet tables, bounded as they are unpacked and not only on disk: a small file can hold any number of rows.

Texts are read as dictionaries, so that a long text that repeats is in memory once, and are unpacked after a check.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skinframe.untrusted_files import UnreadableError, read_bytes

if TYPE_CHECKING:
    import pyarrow as pa

MAX_FILE = 1024 * 2**20  # bytes on disk; predictions of 400,000 images and eight classes take about 100 MiB
MAX_ROWS = 4_000_000
MAX_COLUMNS = 10_000
MAX_UNPACKED = 2 * 2**30  # bytes of all columns; those of 400,000 images and eight classes take about 120 MiB
MAX_TEXT = 65_536  # bytes of one text


def read_parquet(path: Path, most_rows: int = MAX_ROWS) -> pa.Table:
    """Return the flat table in a Parquet file. Raises UnreadableError where it is none, or too large unpacked."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    data = read_bytes(path, MAX_FILE)
    try:
        about = pq.read_metadata(io.BytesIO(data))
        check_size(path, about, most_rows)
        if any(about.schema.column(place).max_repetition_level for place in range(about.num_columns)):
            raise UnreadableError(path, "has a column of lists; a table of predictions has numbers and texts only")
        schema = about.schema.to_arrow_schema()
        texts = [field.name for field in schema if pa.types.is_string(field.type) or pa.types.is_binary(field.type)]
        with pq.ParquetFile(io.BytesIO(data), read_dictionary=texts) as file:
            table = _bounded(path, file, most_rows)
        return _plain_texts(path, table).replace_schema_metadata(schema.metadata)
    except UnreadableError:
        raise
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError, OverflowError, MemoryError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UnreadableError(path, f"is not a readable Parquet table ({reason})") from error


def check_size(path: Path, about: Any, most_rows: int = MAX_ROWS) -> None:
    """Raise UnreadableError where a file's own description says that it is too large."""
    unpacked = sum(about.row_group(group).total_byte_size for group in range(about.num_row_groups))
    if about.num_rows > most_rows or about.num_columns > MAX_COLUMNS or unpacked > MAX_UNPACKED:
        size = f"{about.num_rows:,} rows of {about.num_columns:,} columns, {unpacked / 2**20:,.0f} MiB unpacked"
        most = f"at most {most_rows:,} rows, {MAX_COLUMNS:,} columns and {MAX_UNPACKED >> 20:,} MiB are read"
        raise UnreadableError(path, f"holds {size}; {most}")


def _bounded(path: Path, file: Any, most_rows: int) -> pa.Table:
    """Read batch by batch: what the file says of its own size may be wrong."""
    import pyarrow as pa

    batches, size, rows = [], 0, 0
    for batch in file.iter_batches(8192):
        size, rows = size + batch.nbytes, rows + batch.num_rows
        if rows > most_rows or size > MAX_UNPACKED:
            raise UnreadableError(path, f"holds more than {most_rows:,} rows or {MAX_UNPACKED >> 20:,} MiB")
        batches.append(batch)
    return pa.Table.from_batches(batches) if batches else file.schema_arrow.empty_table()


def _plain_texts(path: Path, table: pa.Table) -> pa.Table:
    """Unpack the texts, after their lengths have been added up."""
    import pyarrow as pa
    import pyarrow.compute as pc

    total = 0
    for column, field in enumerate(table.schema):
        if not pa.types.is_dictionary(field.type):
            continue
        for chunk in table.column(column).chunks:
            lengths = pc.binary_length(chunk.dictionary)
            if (pc.max(lengths).as_py() or 0) > MAX_TEXT:
                raise UnreadableError(path, f"column '{field.name[:80]}' has a text of more than {MAX_TEXT:,} bytes")
            total += pc.sum(lengths.take(chunk.indices)).as_py() or 0
            if total > MAX_UNPACKED:
                raise UnreadableError(path, f"holds more than {MAX_UNPACKED >> 20:,} MiB of text")
        table = table.set_column(column, field.name, table.column(column).cast(field.type.value_type))
    return table
