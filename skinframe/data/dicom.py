"""DICOM files to RGB pixels: no tags are kept, and images that may contain burned-in text are refused."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from skinframe.data.images import ImageProblem, check_size, decode
from skinframe.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

NATIVE = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1")  # implicit and explicit little endian
JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
HEAD = 144  # bytes: preamble, 'DICM' and the element that holds the length of the file's own header


def is_dicom(data: bytes) -> bool:
    return data[128:132] == b"DICM"


def decode_dicom(data: bytes, max_pixels: int, allow_burned_in: bool = False) -> Image.Image:
    """Return the 8-bit RGB pixels of one still DICOM image, grey or colour, uncompressed or baseline JPEG.

    Refused unless BurnedInAnnotation (0028,0301) is "NO" or `allow_burned_in` is set after a look at the image: text in
    the pixels survives every removal of tags. Raises ImageProblem; DataError if pydicom is not installed.
    """
    try:
        import pydicom
    except ImportError:
        raise DataError("is a DICOM file; reading it needs pydicom: pip install 'skinframe[dicom]'") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom's warnings quote values, and a value may be a name
            syntax = _syntax(pydicom, data)
            dataset = pydicom.dcmread(io.BytesIO(data))
            _check(dataset, max_pixels, allow_burned_in)
            return _jpeg(dataset, max_pixels) if syntax == JPEG_BASELINE else Image.fromarray(_native(dataset))
    except ImageProblem:
        raise
    except Exception:  # the reader's message may quote the file, so it is not passed on
        raise ImageProblem("cannot be decoded: not a DICOM image that can be read") from None


def _syntax(pydicom: Any, data: bytes) -> str:
    """Return the transfer syntax, read from the file's own header alone: a deflated body must not be unpacked."""
    length = int.from_bytes(data[HEAD - 4 : HEAD], "little")
    header = pydicom.dcmread(io.BytesIO(data[: HEAD + min(length, 65_536)]), defer_size=None, stop_before_pixels=True)
    syntax = str(header.file_meta.TransferSyntaxUID)
    if syntax not in (*NATIVE, JPEG_BASELINE):
        raise ImageProblem(f"has the DICOM transfer syntax {syntax[:40]}; expected uncompressed or baseline JPEG")
    return syntax


def _check(dataset: Any, max_pixels: int, allow_burned_in: bool) -> None:
    burned = str(dataset.get("BurnedInAnnotation", "")).strip().upper()
    if burned != "NO" and not allow_burned_in:
        state = "has burned-in text" if burned == "YES" else "may have burned-in text"
        raise ImageProblem(
            f"{state} (BurnedInAnnotation is not NO); check the image, then allow it with --allow-burned-in"
        )
    check_size(int(dataset.Columns), int(dataset.Rows), max_pixels)
    frames = int(dataset.get("NumberOfFrames", 1) or 1)
    if frames != 1:
        raise ImageProblem(f"has {frames} frames (DICOM); expected one still image")


def _jpeg(dataset: Any, max_pixels: int) -> Image.Image:
    from pydicom.encaps import generate_frames

    if str(dataset.PhotometricInterpretation) not in ("YBR_FULL_422", "YBR_FULL", "MONOCHROME2"):
        raise ImageProblem("has a JPEG in an unsupported colour space; expected YBR_FULL_422, YBR_FULL or MONOCHROME2")
    return decode(next(iter(generate_frames(dataset.PixelData, number_of_frames=1))), max_pixels=max_pixels)


def _native(dataset: Any) -> NDArray[np.uint8]:
    """Return the pixels [height, width, 3]: the high byte of deep pixels, MONOCHROME1 inverted."""
    from pydicom.pixels import pixel_array

    kind, stored = str(dataset.PhotometricInterpretation), int(dataset.BitsStored)
    if kind not in ("RGB", "MONOCHROME1", "MONOCHROME2", "YBR_FULL") or int(dataset.PixelRepresentation):
        raise ImageProblem(f"has the DICOM colours {kind[:20]}; expected RGB, YBR_FULL or unsigned grey")
    values = pixel_array(dataset).astype(np.int64)  # YBR_FULL comes as RGB
    values = values >> (stored - 8) if stored > 8 else values * 255 // (2**stored - 1)
    if kind == "MONOCHROME1":
        values = 255 - values
    pixels = values.clip(0, 255).astype(np.uint8)
    return pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)
