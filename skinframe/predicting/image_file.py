"""Reads single image files for prediction: JPEG, PNG or DICOM."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from PIL.Image import Image

from skinframe.data.dicom import decode_dicom, is_dicom
from skinframe.data.images import decode, pixel_key, read_regular
from skinframe.errors import DataError
from skinframe.recipe.recipe_schema import Images


@dataclass(frozen=True)
class Incoming:
    """One file: the key of its pixels, and the pixels; nothing else of it is kept."""

    path: Path
    key: str
    picture: Image


def read_incoming(path: Path, limits: Images, allow_burned_in: bool = False) -> Incoming:
    """Return the image of a file, decoded as the run's own were. Raises DataError naming the file."""
    data = read_regular(path, max_bytes=limits.max_bytes)
    key = pixel_key(hashlib.sha256(data).hexdigest(), limits.draft)
    try:
        if is_dicom(data):
            return Incoming(path, key, decode_dicom(data, limits.max_pixels, allow_burned_in))
        sizes = {"max_pixels": limits.max_pixels, "max_bytes": limits.max_bytes, "draft": limits.draft}
        return Incoming(path, key, decode(data, **sizes))
    except DataError as error:
        raise DataError(f"{path.name}: {error}") from error
