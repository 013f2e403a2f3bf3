"""Encoded bytes to RGB pixels, and nothing else of the file: caps first, orientation applied, the rest dropped."""

from __future__ import annotations

import io
import os
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError

from skinframe.data.paths import path_problem
from skinframe.errors import DataError

FORMATS = ("JPEG", "PNG")
MAX_PIXELS = 64_000_000  # the archive's largest dermoscopic images have about 24 million
MAX_BYTES = 64 * 2**20
MIN_SIDE = 16
MAX_ASPECT = 20  # resizing the shorter side of a 1 x 20,000 strip would ask for gigabytes
ORIENTATION = 0x0112
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class ImageProblem(DataError):  # noqa: N818 - a finding that a policy may set aside
    """One image cannot be used; the message is the reason, in one line."""


def decode(data: bytes, *, max_pixels: int = MAX_PIXELS, max_bytes: int = MAX_BYTES) -> Image.Image:
    """Return the upright 8-bit RGB pixels of a JPEG or PNG.

    The size in the header is judged before a pixel is allocated. The EXIF orientation is applied; profile, comments
    and every other tag are dropped. 16-bit grey keeps its high byte (as 16-bit colour does), transparency is laid on
    white, CMYK is converted without a profile. Raises ImageProblem for anything that is not one whole image.
    """
    if len(data) > max_bytes:
        raise ImageProblem(f"is {len(data)} bytes; the cap is {max_bytes}")
    if not data:
        raise ImageProblem("is empty (0 bytes)")
    try:
        with _strict(), Image.open(io.BytesIO(data), formats=FORMATS) as image:
            _check_header(image, max_pixels)
            image.load()
            return _upright_rgb(image)
    except ImageProblem:
        raise
    except UnidentifiedImageError:
        raise ImageProblem(f"is not a JPEG or PNG (begins with {data[:12]!r})") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ImageProblem(f"declares more pixels than the cap of {max_pixels}") from None
    except Exception as error:  # decoders raise nearly anything on hostile bytes
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise ImageProblem(f"cannot be decoded: {reason}") from error


@contextmanager
def _strict() -> Iterator[None]:
    """Make Pillow's bomb warning an error and refuse truncated files, whatever another library has switched."""
    lenient = ImageFile.LOAD_TRUNCATED_IMAGES
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # remarks about odd tags, which are dropped anyway
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        ImageFile.LOAD_TRUNCATED_IMAGES = False
        try:
            yield
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = lenient


def _check_header(image: Image.Image, max_pixels: int) -> None:
    width, height = image.size
    if width * height > max_pixels:
        raise ImageProblem(f"is {width} x {height} pixels; the cap is {max_pixels} in all")
    if min(width, height) < MIN_SIDE or max(width, height) > MAX_ASPECT * min(width, height):
        raise ImageProblem(f"is {width} x {height} pixels; needs {MIN_SIDE} a side and at most {MAX_ASPECT} to 1")
    frames = getattr(image, "n_frames", 1)
    if frames != 1 or image.format not in FORMATS:
        raise ImageProblem(f"holds {frames} frames ({image.format}); expected one still image")


def _upright_rgb(image: Image.Image) -> Image.Image:
    try:
        turn = TURNS.get(image.getexif().get(ORIENTATION, 1))
    except Exception:  # a broken tag block says nothing about orientation, and the pixels are whole
        turn = None
    pixels = _rgb(image)
    if turn is not None:
        pixels = pixels.transpose(turn)
    clean = Image.new("RGB", pixels.size)  # a new image carries no info dict
    clean.paste(pixels)
    return clean


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode in ("RGB", "L", "1", "CMYK"):
        return image.convert("RGB")
    if image.mode.startswith("I"):
        return Image.fromarray((np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)).convert("RGB")
    if image.mode in ("P", "PA", "LA", "RGBA"):
        layered = image.convert("RGBA")
        ground = Image.new("RGBA", layered.size, "white")
        return Image.alpha_composite(ground, layered).convert("RGB")
    raise ImageProblem(f"has the pixel mode {image.mode}; expected grey, RGB, palette or CMYK")


def read_confined(root: Path, relative: str, *, max_bytes: int = MAX_BYTES) -> bytes:
    """Return the bytes of a regular file under `root`.

    Raises DataError naming the path where it would leave the root (also through a symlink), and ImageProblem where it
    is missing, not a regular file, unreadable or larger than `max_bytes`.
    """
    problem = path_problem(relative)
    if problem:
        raise DataError(f"image {relative!r} {problem}")
    path = root / relative
    try:
        real = path.resolve(strict=True)
        if not real.is_relative_to(root.resolve()):
            raise DataError(f"{path}: leads out of the data root through a link; copy the file into {root}")
        # Not blocking, and judged by the open file: a pipe or device put here must neither hang nor be read.
        handle = os.open(real, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        try:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                raise ImageProblem(f"{path}: is not a regular file")
            if status.st_size > max_bytes:
                raise ImageProblem(f"{path}: is {status.st_size} bytes; the cap is {max_bytes}")
            with open(handle, "rb", closefd=False) as file:
                return file.read(status.st_size + 1)
        finally:
            os.close(handle)
    except FileNotFoundError:
        raise ImageProblem(f"{path}: no such file") from None
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links, in Python 3.11 and 3.12
        raise ImageProblem(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
