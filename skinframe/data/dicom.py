"""A DICOM file to RGB pixels, and nothing else of it: not a tag, and no image that may show a name."""

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

NATIVE = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1")  # implicit and explicit little endian, as the standard names them
JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
HEAD = 144  # preamble, 'DICM' and the element that says how long the file's own header is


def is_dicom(data: bytes) -> bool:
    return data[128:132] == b"DICM"


def decode_dicom(data: bytes, max_pixels: int, allow_burned_in: bool = False) -> Image.Image:
    """Return the 8-bit RGB pixels of one still DICOM image, grey or colour, uncompressed or baseline JPEG.

    Refused unless BurnedInAnnotation (0028,0301) is "NO" or `allow_burned_in` says that somebody has looked: text in
    the pixels survives every removal of tags. Raises ImageProblem; DataError where pydicom is not installed.
    """
    try:
        import pydicom
    except ImportError:
        raise DataError("is a DICOM file; reading it needs pydicom: pip install 'skinframe[dicom]'") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom's remarks quote values, and a value may be a name
            syntax = _syntax(pydicom, data)
            found = pydicom.dcmread(io.BytesIO(data))
            _refuse(found, max_pixels, allow_burned_in)
            return _jpeg(found, max_pixels) if syntax == JPEG_BASELINE else Image.fromarray(_native(found))
    except ImageProblem:
        raise
    except Exception:  # whatever the reader raises may quote the file, so its words are not passed on
        raise ImageProblem("cannot be decoded: not a DICOM image that can be read") from None


def _syntax(pydicom: Any, data: bytes) -> str:
    """Return the transfer syntax, read from the file's own header alone: a deflated body must not be unpacked."""
    length = int.from_bytes(data[HEAD - 4 : HEAD], "little")
    header = pydicom.dcmread(io.BytesIO(data[: HEAD + min(length, 65_536)]), defer_size=None, stop_before_pixels=True)
    syntax = str(header.file_meta.TransferSyntaxUID)
    if syntax not in (*NATIVE, JPEG_BASELINE):
        raise ImageProblem(f"has the DICOM transfer syntax {syntax[:40]}; expected uncompressed or baseline JPEG")
    return syntax


def _refuse(found: Any, max_pixels: int, allow_burned_in: bool) -> None:
    burned = str(found.get("BurnedInAnnotation", "")).strip().upper()
    if burned != "NO" and not allow_burned_in:
        said = "says that text is burned into its pixels" if burned == "YES" else "does not say that no text is in it"
        raise ImageProblem(
            f"{said} (BurnedInAnnotation is not NO); look at the image, and allow it by name: --allow-burned-in"
        )
    check_size(int(found.Columns), int(found.Rows), max_pixels)
    frames = int(found.get("NumberOfFrames", 1) or 1)
    if frames != 1:
        raise ImageProblem(f"holds {frames} frames (DICOM); expected one still image")


def _jpeg(found: Any, max_pixels: int) -> Image.Image:
    from pydicom.encaps import generate_frames

    if str(found.PhotometricInterpretation) not in ("YBR_FULL_422", "YBR_FULL", "MONOCHROME2"):
        raise ImageProblem("holds a JPEG in another colour space than DICOM's usual YBR_FULL_422")
    return decode(next(iter(generate_frames(found.PixelData, number_of_frames=1))), max_pixels=max_pixels)


def _native(found: Any) -> NDArray[np.uint8]:
    """Return the pixels [height, width, 3]: deep ones by their high byte, MONOCHROME1 turned to black on white."""
    from pydicom.pixels import pixel_array

    kind, stored = str(found.PhotometricInterpretation), int(found.BitsStored)
    if kind not in ("RGB", "MONOCHROME1", "MONOCHROME2", "YBR_FULL") or int(found.PixelRepresentation):
        raise ImageProblem(f"has the DICOM colours {kind[:20]}; expected RGB, YBR_FULL or unsigned grey")
    values = pixel_array(found).astype(np.int64)  # YBR_FULL comes as RGB
    values = values >> (stored - 8) if stored > 8 else values * 255 // (2**stored - 1)
    if kind == "MONOCHROME1":
        values = 255 - values
    pixels = values.clip(0, 255).astype(np.uint8)
    return pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)
