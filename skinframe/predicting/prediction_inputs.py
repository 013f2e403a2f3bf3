"""What `predict` is asked about: image files, folders of them, and tables with a row of metadata an image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from skinframe.errors import DataError, did_you_mean
from skinframe.evaluation.prediction_file import PredictionFile, read_prediction_file
from skinframe.sample import Field, Value

IMAGES = (".jpg", ".jpeg", ".png", ".dcm", ".dicom", ".mpo")
TABLES = (".csv", ".tsv", ".tab", ".txt", ".parquet")
COLUMNS = ("image", "image_path", "path", "file", "filename", "file_name", "image_name", "image_id", "isic_id", "id")


@dataclass(frozen=True)
class InputImage:
    """One image to predict; `named` is one that the user named, whose fault ends the command."""

    path: Path
    metadata: Mapping[str, Value]
    named: bool = True

    def missing(self, fields: Sequence[Field]) -> tuple[str, ...]:
        """Return the fields that are not recorded for it."""
        return tuple(field.name for field in fields if self.metadata.get(field.name) is None)


def input_images(
    given: Sequence[Path], metadata: Mapping[str, str], fields: Sequence[Field]
) -> tuple[list[InputImage], list[str]]:
    """Return every image of files, folders and tables, and what to know of the tables' columns.

    `metadata` holds for every image; a table's own cells win. Raises DataError for a folder without an image, a table
    without a column of files, and a value that its field does not allow.
    """
    common = typed_metadata(metadata, fields)
    found: list[InputImage] = []
    notes: list[str] = []
    for path in given:
        if path.is_dir():
            files = sorted(file for file in path.rglob("*") if _is_image(file))
            if not files:
                raise DataError(f"{path}: holds no image; expected files that end in {', '.join(IMAGES)}")
            found += [InputImage(file, common, named=False) for file in files]
        elif path.suffix.lower() in TABLES:
            table = read_prediction_file(path)
            found += _of_table(table, common, fields)
            notes += _unread(table, fields)
        else:
            found.append(InputImage(path, common))
    return found, notes


def _is_image(file: Path) -> bool:
    return file.suffix.lower() in IMAGES and not file.name.startswith(".") and file.is_file()


def _of_table(table: PredictionFile, common: Mapping[str, Value], fields: Sequence[Field]) -> Iterator[InputImage]:
    column = _image_column(table)
    files = table.texts(column)
    own = {field.name: table.words(field.name) for field in fields if field.name in table.names}
    for row, name in enumerate(files):
        cells = {field: words[row] for field, words in own.items()}
        try:
            typed = typed_metadata(
                {field: text for field, text in cells.items() if text is not None}, fields, "column "
            )
        except DataError as error:
            raise table.error(row, str(error)) from None
        values = {field: common[field] if typed[field] is None else typed[field] for field in typed}
        yield InputImage(_located(table.path.parent, name), values, named=False)


def _image_column(table: PredictionFile) -> str:
    known = {name.lower(): name for name in table.names}
    column = next((known[name] for name in COLUMNS if name in known), None)
    if column is None:
        listed = ", ".join(table.names)
        raise DataError(f"{table.path}: has no column of image files; name one `image` (the columns are {listed})")
    return column


def _located(folder: Path, name: str) -> Path:
    """Return an image's path, relative to its table; a name without an ending takes that of the file that is there."""
    path = folder / name.replace("\\", "/")
    if path.suffix.lower() in IMAGES or path.exists():
        return path
    return next((near for ending in IMAGES if (near := path.with_name(path.name + ending)).exists()), path)


def _unread(table: PredictionFile, fields: Sequence[Field]) -> list[str]:
    """Say which columns are no field of the run."""
    own = {field.name for field in fields}
    unread = [name for name in table.names if name not in own and name != _image_column(table)]
    if not unread:
        return []
    hints = [f"'{name}'{did_you_mean(name, own)}" if own else f"'{name}'" for name in unread[:8]]
    return [f"{table.path.name}: columns that the run does not read: {', '.join(hints)}"]


def typed_metadata(given: Mapping[str, str], fields: Sequence[Field], option: str = "--meta ") -> dict[str, Value]:
    """Return metadata as the fields' own types; what is not given is not recorded. Raises DataError."""
    known = {field.name: field for field in fields}
    for name in given:
        if name not in known:
            raise DataError(f"{option}{name}: the data set has no such field{did_you_mean(name, known)}")
    values: dict[str, Value] = dict.fromkeys(known)
    for name, text in given.items():
        try:
            values[name] = text if known[name].values else float(text)
        except ValueError:
            raise DataError(f"{option}{name}: {text!r} is not a number") from None
        problem = known[name].problem(values[name])
        if problem:
            raise DataError(f"{option}{name}: {problem}")
    return values
