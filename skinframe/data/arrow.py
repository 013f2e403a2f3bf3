"""A sample as a row of typed columns, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from skinframe.data.rows import ATTRIBUTE, META, Raw, RowSchema
from skinframe.sample import Sample

if TYPE_CHECKING:
    import pyarrow as pa


def arrow_schema(schema: RowSchema) -> pa.Schema:
    """Return the Arrow types: enumerations as dictionaries, numbers as doubles, masks and boxes as maps by name."""
    import pyarrow as pa

    text, words = pa.string(), pa.dictionary(pa.int16(), pa.string())
    types = {
        "id": text,
        "image": text,
        "label": words,
        "patient": text,
        "lesion": text,
        "source": words,
        "split": words,
    }
    types |= {META + field.name: words if field.values else pa.float64() for field in schema.fields}
    types |= {ATTRIBUTE + name: pa.bool_() for name in schema.attributes}
    types |= {"labels": pa.map_(text, text), "masks": pa.map_(text, text)}
    types |= {"boxes": pa.map_(text, pa.list_(pa.float64())), "file": words, "line": pa.int64()}
    return pa.schema(list(types.items()))


def to_row(sample: Sample, schema: RowSchema) -> Raw:
    """Return the sample's row. What does not fit the schema is kept as it stands, for the schema to name."""
    known = not isinstance(sample.label, bool) and 0 <= sample.label < len(schema.classes)
    row: dict[str, Any] = {
        "id": sample.id,
        "image": sample.image,
        "label": schema.classes[sample.label] if known else sample.label,
        "patient": sample.patient,
        "lesion": sample.lesion,
        "source": sample.source,
        "split": sample.split,
        "labels": list(sample.labels.items()),
        "masks": list(sample.masks.items()),
        "boxes": [(name, list(box)) for name, box in sample.boxes.items()],
        "file": sample.file,
        "line": sample.line,
    }
    row |= {META + name: value for name, value in sample.metadata.items()}
    return row | {ATTRIBUTE + name: value for name, value in zip(schema.attributes, sample.attributes, strict=False)}


def from_row(row: Mapping[str, Any], schema: RowSchema, codes: Mapping[str, int]) -> Sample:
    """Return the sample of a typed row; `codes` maps a class to its index."""
    attributes = tuple(row[ATTRIBUTE + name] for name in schema.attributes)
    return Sample(
        id=row["id"],
        image=row["image"],
        label=codes[row["label"]],
        patient=row["patient"],
        lesion=row["lesion"],
        source=row["source"],
        split=row["split"],
        metadata={field.name: row[META + field.name] for field in schema.fields},
        attributes=attributes,
        labels=dict(row["labels"] or ()),
        masks=dict(row["masks"] or ()),
        boxes={name: (box[0], box[1], box[2], box[3]) for name, box in row["boxes"] or ()},
        file=row["file"] or "",
        line=row["line"] or 0,
    )
