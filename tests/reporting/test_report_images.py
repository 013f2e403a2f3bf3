from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from skinframe.reporting.case_pictures import LARGEST_SIDE, colours, encode, overlay_uri, plain_uri


def pixels_of(uri: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))), dtype=np.float64)


def grey(height: int = 64, width: int = 96) -> np.ndarray:
    return np.full((height, width, 3), 128, dtype=np.uint8)


def test_encode_keeps_pixels() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (7, 5, 3)).astype(np.uint8)
    assert (np.asarray(Image.open(io.BytesIO(encode(pixels)))) == pixels).all()


def test_planted_metadata_does_not_reach_the_page() -> None:
    info, buffer = PngInfo(), io.BytesIO()
    info.add_text("Patient", "PLANTED-NAME")
    exif = Image.Exif()
    exif[0x010E] = "PLANTED-NAME"
    Image.fromarray(grey()).save(buffer, "PNG", pnginfo=info, exif=exif)
    jpeg = io.BytesIO()
    Image.fromarray(grey()).save(jpeg, "JPEG", exif=exif, comment=b"PLANTED-NAME", icc_profile=b"PLANTED-NAME")
    for data in (buffer.getvalue(), jpeg.getvalue()):
        assert b"PLANTED-NAME" in data
        for uri in (plain_uri(data), overlay_uri(data, [[0.0, 1.0]])):
            assert uri is not None
            assert b"PLANTED-NAME" not in base64.b64decode(uri.partition(",")[2])


def test_the_overlay_is_hottest_where_the_heat_is() -> None:
    uri = overlay_uri(encode(grey()), [[0.0, 0.0, 0.0], [0.0, 0.0, 8.0]])
    assert uri is not None
    shown = pixels_of(uri)
    assert shown.shape == (64, 96, 3)
    warm = shown[..., 0] - shown[..., 2]  # the hot end is yellow
    row, column = np.unravel_index(warm.argmax(), warm.shape)
    assert row >= 32
    assert column >= 64


def test_heat_of_nothing_or_of_nan_is_drawn_flat() -> None:
    for heat in ([[0.0, 0.0]], [[float("nan"), 0.0]]):
        uri = overlay_uri(encode(grey()), heat)
        assert uri is not None
        assert pixels_of(uri).std(axis=(0, 1)).max() < 2


def test_other_formats_and_giants_are_refused() -> None:
    buffer = io.BytesIO()
    Image.fromarray(grey()).save(buffer, "BMP")
    assert plain_uri(buffer.getvalue()) is None
    assert plain_uri(b"not an image") is None
    assert plain_uri(encode(grey())[:60]) is None
    assert plain_uri(encode(np.zeros((1, LARGEST_SIDE + 1, 3), np.uint8))) is None


def test_lightness_rises_along_the_colours() -> None:
    light = colours(np.linspace(0, 1, 50)) @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(light) > 0).all()
