"""Safe reading of image files: confined paths, size limits before decoding, upright RGB pixels without metadata."""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError

from skinframe.data.decode_cost import cost_problem
from skinframe.errors import DataError

FORMATS = ("JPEG", "PNG")
FIRST_FRAME = ("MPO",)  # a JPEG with further pictures behind it, as phones write: the photograph is the first
MAX_PIXELS = 64_000_000  # the archive's largest dermoscopic images have about 24 million
MAX_BYTES = 64 * 2**20
MIN_SIDE = 16
MAX_ASPECT = 20  # resizing the shorter side of a 1 x 20,000 strip would ask for gigabytes
ORIENTATION = 0x0112
SIGNATURES = {
    b"\xff\xd8": "damaged JPEG",
    b"\x89PNG": "damaged PNG",
    b"GIF8": "GIF",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"BM": "BMP",
    b"RIFF": "WebP",
    b"%PDF": "PDF",
    b"%!PS": "PostScript",
    b"8BPS": "Photoshop",
    b"SIMPLE": "FITS",
    b"<": "HTML or XML",
}
EXIF_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class ImageProblem(DataError):  # noqa: N818 - a policy may quarantine the image instead of failing
    """An image that cannot be used. `reason` is one line without a path, because reports are shared."""

    def __init__(self, reason: str, path: Path | None = None) -> None:
        self.reason = reason
        super().__init__(reason if path is None else f"{path}: {reason}")


def decode(data: bytes, *, max_pixels: int = MAX_PIXELS, max_bytes: int = MAX_BYTES, draft: int = 0) -> Image.Image:
    """Return the upright 8-bit RGB pixels of a JPEG or PNG.

    The size in the header is checked before pixels are allocated. The EXIF orientation is applied; colour profile,
    comments and all other tags are dropped. 16-bit grey keeps its high byte (as 16-bit colour does), transparency is
    composited on white, CMYK is converted without a profile. With `draft` a JPEG is decoded at the smallest of its
    full, half, quarter and eighth size whose sides are both at least `draft` pixels: faster, with different pixels
    (see `pixel_key`). Raises ImageProblem for anything that is not one complete still image.
    """
    if len(data) > max_bytes:
        raise ImageProblem(f"is {len(data)} bytes; the limit is {max_bytes}")
    if not data:
        raise ImageProblem("is empty (0 bytes)")
    try:
        with _strict(), Image.open(io.BytesIO(data), formats=FORMATS) as image:
            _check_header(image, max_pixels)
            costly = cost_problem(data, *image.size)
            if costly is not None:
                raise ImageProblem(costly)
            if draft:
                image.draft(None, (draft, draft))
            image.load()
            return _upright_rgb(image)
    except ImageProblem:
        raise
    except UnidentifiedImageError:
        raise ImageProblem(f"is not a JPEG or PNG (recognised as: {_recognised(data)})") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ImageProblem(f"declares more pixels than the limit of {max_pixels}") from None
    except Exception as error:  # decoders raise nearly anything on hostile bytes
        # the decoder may quote bytes of the file, and reports are shared
        message = re.sub(r"""b(["']).*\1""", "some bytes", " ".join(str(error).split()))
        reason = message[:120] or type(error).__name__
        raise ImageProblem(f"cannot be decoded: {reason}") from error


def _recognised(data: bytes) -> str:
    """Name the format indicated by the first bytes; a report must not quote the bytes themselves."""
    return next((name for start, name in SIGNATURES.items() if data.lstrip().startswith(start)), "unknown")


def pixel_key(key: str, draft: int = 0) -> str:
    """Return the cache key of the decoded pixels: the key of the encoded bytes unless `draft` changes the pixels."""
    return hashlib.sha256(f"{key} draft {draft}".encode()).hexdigest() if draft else key


@contextmanager
def _strict() -> Iterator[None]:
    """Turn Pillow's decompression-bomb warning into an error and refuse truncated files, whatever others have set."""
    lenient = ImageFile.LOAD_TRUNCATED_IMAGES
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # warnings about unusual tags, which are dropped anyway
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        ImageFile.LOAD_TRUNCATED_IMAGES = False
        try:
            yield
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = lenient


def check_size(width: int, height: int, max_pixels: int) -> None:
    """Raise ImageProblem for an image that is too large, too small or too elongated."""
    if width * height > max_pixels:
        raise ImageProblem(f"is {width} x {height} pixels; the limit is {max_pixels} in total")
    if min(width, height) < MIN_SIDE or max(width, height) > MAX_ASPECT * min(width, height):
        raise ImageProblem(f"is {width} x {height} pixels; needs {MIN_SIDE} per side and at most {MAX_ASPECT} to 1")


def _check_header(image: Image.Image, max_pixels: int) -> None:
    check_size(*image.size, max_pixels)
    frames = getattr(image, "n_frames", 1)
    if image.format in FIRST_FRAME:
        return
    if frames != 1 or image.format not in FORMATS:
        raise ImageProblem(f"has {frames} frames ({image.format}); expected one still image")


def _upright_rgb(image: Image.Image) -> Image.Image:
    try:
        turn = EXIF_TURNS.get(image.getexif().get(ORIENTATION, 1))
    except Exception:  # a broken EXIF block has no orientation; the pixels are still complete
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

    Raises DataError naming the path if it leaves the root (also through a symlink), and ImageProblem if it is missing,
    not a regular file, unreadable or larger than `max_bytes`.
    """
    problem = path_problem(relative)
    if problem:
        raise DataError(f"image {relative!r} {problem}")
    path = root / relative
    try:
        real = path.resolve(strict=True)
        inside = real.is_relative_to(root.resolve())
    except FileNotFoundError:
        raise ImageProblem("no such file", path) from None
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of symlinks, in Python 3.11 and 3.12
        raise ImageProblem(
            f"cannot be read: {getattr(error, 'strerror', None) or 'a loop of symlinks'}", path
        ) from None
    if not inside:
        what = (
            "its path leaves the data root through a symlink; copy the files there, or name their real folder as root"
        )
        raise DataError(f"{path}: {what}")
    return read_regular(real, max_bytes=max_bytes)


def read_regular(path: Path, *, max_bytes: int = MAX_BYTES) -> bytes:
    """Return the bytes of a regular file. Raises ImageProblem if it is not one, unreadable, or too large."""
    try:
        # Open without blocking and check the open file: a pipe or device must neither hang nor be read.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        try:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                raise ImageProblem("is not a regular file", path)
            if status.st_size > max_bytes:
                raise ImageProblem(f"is {status.st_size} bytes; the limit is {max_bytes}", path)
            with open(handle, "rb", closefd=False) as file:
                return file.read(status.st_size + 1)
        finally:
            os.close(handle)
    except FileNotFoundError:
        raise ImageProblem("no such file", path) from None
    except OSError as error:
        raise ImageProblem(f"cannot be read: {(error.strerror or 'unknown error').lower()}", path) from None


def path_problem(reference: str) -> str | None:
    """Return why an image path is not a plain relative path inside its root; None if it is."""
    if not reference.strip():
        return "is empty"
    if not reference.isprintable():  # control characters, NUL, line ends, bidirectional marks
        return "contains a control character"
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", reference):
        return "is a URL or a drive letter; only files under the data root are read"
    if reference.startswith(("/", "\\")):
        return "is absolute; write it relative to the data root"
    if reference.startswith("~"):
        return "starts with '~'; write it relative to the data root"
    if ".." in PurePosixPath(reference.replace("\\", "/")).parts:
        return "contains '..' and could leave the data root"
    return None
