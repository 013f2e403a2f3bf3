"""The schema of one manifest row: validation with pydantic, Arrow column types, and conversion from and to `Sample`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from skinframe.data.images import path_problem
from skinframe.sample import Field, Sample

if TYPE_CHECKING:
    import pyarrow as pa

PARTS = ("train", "valid", "test")
META, ATTRIBUTE = "meta.", "attr."
MAX_CHARACTERS = 256  # characters of an id or a path; the public sets have under 80
RawRow = Mapping[str, Any]
Item = TypeVar("Item")
_REQUIRED = ("id", "image", "label")


@dataclass(frozen=True)
class CellType:
    """The type that pydantic checks, and its description in error messages."""

    type: Any
    expected: str


class RowSchema:
    """The columns of a manifest: ids, image, label, groups, `meta.FIELD`, `attr.NAME`, labels, masks, boxes, file
    and line.

    `group` ('patient' or 'lesion') names an id that is required in every row.
    """

    def __init__(
        self, fields: Sequence[Field], classes: Sequence[str], attributes: Sequence[str] = (), group: str | None = None
    ) -> None:
        from typing import Required

        from pydantic import TypeAdapter
        from typing_extensions import TypedDict

        self.fields, self.classes, self.attributes = tuple(fields), tuple(classes), tuple(attributes)
        self.group = group
        self.columns = _columns(self.fields, self.classes, self.attributes)
        types = {
            name: column.type if name in _REQUIRED else column.type | None for name, column in self.columns.items()
        }
        if group is not None:
            types[group] = self.columns[group].type
        required = {*_REQUIRED, *([group] if group else [])}
        make: Any = TypedDict  # the columns are known at run time only
        row: Any = make(
            "Row", {name: Required[kind] if name in required else kind for name, kind in types.items()}, total=False
        )
        row.__pydantic_config__ = {"extra": "forbid", "allow_inf_nan": False}
        table: Any = list.__class_getitem__(row)
        self._adapter: TypeAdapter[list[dict[str, Any]]] = TypeAdapter(table)

    def __reduce__(self) -> tuple[Any, ...]:
        return RowSchema, (
            self.fields,
            self.classes,
            self.attributes,
            self.group,
        )  # rebuilt in the receiving process: pydantic's validator cannot be pickled

    def typed(
        self, rows: Sequence[RawRow], *, strict: bool = False
    ) -> tuple[list[dict[str, Any]], list[tuple[int, str]]]:
        """Return the typed rows, or (row index, message) for each invalid cell.

        With `strict` text is not parsed as a number: rows that were typed before must already hold numbers.
        """
        from pydantic import ValidationError

        try:
            return self._adapter.validate_python(list(rows), strict=strict), []
        except ValidationError as error:
            errors = error.errors(include_url=False)
        cells = dict.fromkeys(  # one message per cell, even if several alternatives of a type failed
            (int(failed["loc"][0]), str(failed["loc"][1]) if len(failed["loc"]) > 1 else "") for failed in errors
        )
        return [], [(row, self._message(rows[row], name)) for row, name in cells]

    def _message(self, row: RawRow, name: str) -> str:
        short = name.removeprefix(META).removeprefix(ATTRIBUTE)
        if name not in self.columns:
            return f"{short[:80]}: no such field; known: {', '.join(field.name for field in self.fields) or 'none'}"
        value = row.get(name)
        if value is None:
            return f"no {short}; expected {self.columns[name].expected}"
        shown = repr(value) if len(repr(value)) <= 80 else repr(value)[:80] + "…"
        if name == "image" and isinstance(value, str) and path_problem(value):
            return f"image {shown} {path_problem(value)}"
        return f"{short}: {shown} is not {self.columns[name].expected}"


def _columns(fields: Sequence[Field], classes: Sequence[str], attributes: Sequence[str]) -> dict[str, CellType]:
    from typing import Annotated

    from annotated_types import Ge, Le, Len
    from pydantic import AfterValidator, StringConstraints

    word = Annotated[str, StringConstraints(min_length=1, max_length=MAX_CHARACTERS), AfterValidator(_printable)]
    path = Annotated[str, StringConstraints(max_length=MAX_CHARACTERS), AfterValidator(_confined)]
    box = Annotated[list[float], Len(4, 4)]
    words = f"1 to {MAX_CHARACTERS} characters without control characters"
    columns = {
        "id": CellType(word, words),
        "image": CellType(path, f"a path of at most {MAX_CHARACTERS} characters under the data root"),
        "label": CellType(_one_of(classes), f"one of {', '.join(classes)}"),
        "patient": CellType(word, words),
        "lesion": CellType(word, words),
        "source": CellType(word, words),
        "split": CellType(_one_of(PARTS), f"one of {', '.join(PARTS)}"),
    }
    for field in fields:
        kind = _one_of(field.values) if field.values else Annotated[float, Ge(field.low), Le(field.high)]
        columns[META + field.name] = CellType(kind, field.expected)
    columns |= {ATTRIBUTE + name: CellType(bool, "yes or no") for name in attributes}
    return columns | {
        "labels": CellType(list[tuple[word, word]], "pairs of vocabulary and label"),
        "masks": CellType(list[tuple[word, path]], "pairs of name and path under the data root"),
        "boxes": CellType(list[tuple[word, box]], "pairs of name and [left, top, right, bottom]"),
        "file": CellType(str, "a file name"),
        "line": CellType(int, "a line number"),
    }


def _one_of(words: Sequence[str]) -> Any:
    from typing import Literal

    return Literal[tuple(words)] if words else str


def _printable(value: str) -> str:
    if not value.isprintable() or not value.strip():
        raise ValueError("contains a control character")
    return value


def _confined(value: str) -> str:
    problem = path_problem(value)
    if problem:
        raise ValueError(problem)
    return value


def in_batches(rows: Iterable[Item], size: int = 8192) -> Iterator[list[Item]]:
    """Yield lists of at most `size` rows, so that memory does not grow with the length of the table."""
    batch: list[Item] = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


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


def to_row(sample: Sample, schema: RowSchema) -> RawRow:
    """Return the sample's row. Invalid values are kept unchanged, so that validation can report them."""
    label_known = not isinstance(sample.label, bool) and 0 <= sample.label < len(schema.classes)
    row: dict[str, Any] = {
        "id": sample.id,
        "image": sample.image,
        "label": schema.classes[sample.label] if label_known else sample.label,
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
