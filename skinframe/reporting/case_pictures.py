"""Pictures for the page: re-encoded from pixels only, with the heat map composited in this project's own colours."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

# dark blue to pale yellow by way of teal: lightness rises all along, so it reads in grey and to the colour-blind
ANCHORS = ((16, 24, 66), (24, 76, 122), (22, 131, 138), (110, 184, 112), (250, 231, 100))
LARGEST_SIDE = 4096  # of a picture that we are willing to decode
SHOWN_SIDE = 720  # of a picture on the page, where it can be opened to fill the screen


def encode(pixels: NDArray[np.uint8]) -> bytes:
    """Return RGB pixels [H, W, 3] as a PNG that holds nothing but them."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels), mode="RGB").save(buffer, "PNG")
    return buffer.getvalue()


def plain_uri(data: bytes) -> str | None:
    """Return the picture as a data URI, re-encoded; None where the bytes are not a PNG or JPEG of sane size."""
    image = _open(data)
    return None if image is None else _uri(image)


def overlay_uri(data: bytes, heat: Sequence[Sequence[float]]) -> str | None:
    """Return the picture under its heat [gh][gw] as a data URI; None where either cannot be drawn."""
    mixed = _overlay(data, heat)
    return None if mixed is None else _uri(mixed)


def overlay_png(data: bytes, heat: Sequence[Sequence[float]]) -> bytes | None:
    """Return the picture under its heat [gh][gw] as a PNG; None where either cannot be drawn."""
    mixed = _overlay(data, heat)
    return None if mixed is None else encode(np.asarray(mixed))


def _overlay(data: bytes, heat: Sequence[Sequence[float]]) -> Image | None:
    """Mix picture and heat, scaled to the largest heat of this picture alone."""
    from PIL import Image

    image = _open(data)
    grid = np.nan_to_num(np.asarray(heat, dtype=np.float64))
    if image is None or grid.ndim != 2 or grid.size == 0:
        return None
    top = float(grid.max())
    share = np.clip(grid / top, 0, 1) if top > 0 else np.zeros_like(grid)
    smooth = Image.fromarray(share.astype(np.float32)).resize(image.size, Image.Resampling.BICUBIC)
    level = np.clip(np.asarray(smooth), 0, 1)[..., None]
    # the skin stays visible where there is no heat, and shows through a little where there is most
    alpha = 0.12 + 0.6 * level
    mixed = (1 - alpha) * np.asarray(image, dtype=np.float64) + alpha * colours(level[..., 0])
    return Image.fromarray(np.clip(mixed, 0, 255).astype(np.uint8), mode="RGB")


def colours(level: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return RGB in 0-255 [..., 3] of levels in [0, 1], linear between `ANCHORS`."""
    knots = np.linspace(0, 1, len(ANCHORS))
    table = np.asarray(ANCHORS, dtype=np.float64)
    return np.stack([np.interp(level, knots, table[:, channel]) for channel in range(3)], axis=-1)


def _open(data: bytes) -> Image | None:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as image:
            if max(image.size) > LARGEST_SIDE:
                return None
            shown = image.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    shown.thumbnail((SHOWN_SIDE, SHOWN_SIDE))
    return shown


def _uri(image: Image) -> str:
    buffer = io.BytesIO()
    # a fresh image from pixels carries no profile, comment or EXIF block
    clean = image.copy()
    clean.info = {}
    clean.save(buffer, "JPEG", quality=90)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
