"""What must hold of one row of a manifest, as a pydantic schema, and what is wrong with it, in one sentence each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from skinframe.data.paths import path_problem
from skinframe.sample import Field

PARTS = ("train", "valid", "test")
META, ATTRIBUTE = "meta.", "attr."
LONGEST = 256  # characters of an id or a path; the public sets have under 80
Raw = Mapping[str, Any]
Row = TypeVar("Row")


@dataclass(frozen=True)
class Column:
    """The type that pydantic checks, and the words for it in a message."""

    type: Any
    expected: str


class RowSchema:
    """The columns of a manifest: ids, image, label, groups, `meta.FIELD`, `attr.NAME`, labels, masks, boxes, place.

    `group` ('patient' or 'lesion') names the id that every row must have.
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
        types = {name: column.type if name in _MUST else column.type | None for name, column in self.columns.items()}
        if group is not None:
            types[group] = self.columns[group].type
        must = {*_MUST, *([group] if group else [])}
        make: Any = TypedDict  # its columns are known at run time only
        row: Any = make(
            "Row", {name: Required[kind] if name in must else kind for name, kind in types.items()}, total=False
        )
        row.__pydantic_config__ = {"extra": "forbid", "allow_inf_nan": False}
        table: Any = list.__class_getitem__(row)
        self._adapter: TypeAdapter[list[dict[str, Any]]] = TypeAdapter(table)

    def __reduce__(self) -> tuple[Any, ...]:
        return RowSchema, (self.fields, self.classes, self.attributes, self.group)  # made again where it arrives

    def typed(self, rows: Sequence[Raw], *, strict: bool = False) -> tuple[list[dict[str, Any]], list[tuple[int, str]]]:
        """Return the rows with every value in its column's type, or (row, what is wrong) for each bad cell.

        `strict` takes no text for a number, as rows that were typed before must hold none.
        """
        from pydantic import ValidationError

        try:
            return self._adapter.validate_python(list(rows), strict=strict), []
        except ValidationError as error:
            found = error.errors(include_url=False)
        cells = dict.fromkeys(  # one sentence a cell, though several alternatives may have failed
            (int(one["loc"][0]), str(one["loc"][1]) if len(one["loc"]) > 1 else "") for one in found
        )
        return [], [(row, self._sentence(rows[row], name, found)) for row, name in cells]

    def _sentence(self, row: Raw, name: str, found: Sequence[Any]) -> str:
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


_MUST = ("id", "image", "label")


def _columns(fields: Sequence[Field], classes: Sequence[str], attributes: Sequence[str]) -> dict[str, Column]:
    from typing import Annotated

    from annotated_types import Ge, Le, Len
    from pydantic import AfterValidator, StringConstraints

    word = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST), AfterValidator(_printable)]
    path = Annotated[str, StringConstraints(max_length=LONGEST), AfterValidator(_confined)]
    box = Annotated[list[float], Len(4, 4)]
    word_of = f"1 to {LONGEST} characters without control characters"
    columns = {
        "id": Column(word, word_of),
        "image": Column(path, f"a path of at most {LONGEST} characters under the data root"),
        "label": Column(_one_of(classes), f"one of {', '.join(classes)}"),
        "patient": Column(word, word_of),
        "lesion": Column(word, word_of),
        "source": Column(word, word_of),
        "split": Column(_one_of(PARTS), f"one of {', '.join(PARTS)}"),
    }
    for field in fields:
        kind = _one_of(field.values) if field.values else Annotated[float, Ge(field.low), Le(field.high)]
        columns[META + field.name] = Column(kind, field.expected)
    columns |= {ATTRIBUTE + name: Column(bool, "yes or no") for name in attributes}
    return columns | {
        "labels": Column(list[tuple[word, word]], "pairs of vocabulary and label"),
        "masks": Column(list[tuple[word, path]], "pairs of name and path under the data root"),
        "boxes": Column(list[tuple[word, box]], "pairs of name and [left, top, right, bottom]"),
        "file": Column(str, "a file name"),
        "line": Column(int, "a line number"),
    }


def _one_of(words: Sequence[str]) -> Any:
    from typing import Literal

    return Literal[tuple(words)] if words else str


def _printable(value: str) -> str:
    if not value.isprintable() or not value.strip():
        raise ValueError("holds a control character")
    return value


def _confined(value: str) -> str:
    problem = path_problem(value)
    if problem:
        raise ValueError(problem)
    return value


def in_batches(rows: Iterable[Row], size: int = 8192) -> Iterator[list[Row]]:
    """Yield lists of at most `size` rows, so that a table of any length takes the memory of one list."""
    batch: list[Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
