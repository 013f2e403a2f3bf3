"""Which image files a run trained or validated on, so that an external test can find them under other names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from skinframe.atomic_write import write_json
from skinframe.data.group_split import Split
from skinframe.errors import DataError
from skinframe.untrusted_files import UnreadableError, read_object

FILE = "known_images.json"
DIGITS = (
    16  # hex digits of the SHA-256 of an image's bytes: by chance two of a million images share them in 1 of 10^7 sets
)


def write_known_images(folder: Path, split: Split, keys: Sequence[str]) -> None:
    """Write the digests of the images of training and validation, sorted, without ids."""
    rows = (*split.train, *split.valid)
    write_json(folder / FILE, {"sha256": sorted({keys[row][:DIGITS] for row in rows})})


def same_files(run: Path, keys: Sequence[str]) -> list[int] | None:
    """Return which of these images the run trained or validated on, by bytes; None where its folder does not say.

    Raises DataError where the file is damaged.
    """
    path = run / FILE
    if not path.is_file():
        return None
    try:
        known = read_object(path).get("sha256")
    except UnreadableError as error:
        raise DataError(f"{error.where}: {error.reason}") from error
    if not isinstance(known, list):
        raise DataError(f"{path}: holds no list of digests; `skinframe verify` names what is damaged")
    digests = frozenset(known)
    return [place for place, key in enumerate(keys) if key[:DIGITS] in digests]
