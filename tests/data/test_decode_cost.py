"""A small image file that would take minutes or gigabytes is set aside before anything of it is decoded."""

from __future__ import annotations

import io
import struct
import time
import zlib

import numpy as np
import pytest
from PIL import Image

from skinframe.data.decode_cost import jpeg_scans
from skinframe.data.images import ImageProblem, decode


def _picture(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8))


def _jpeg(image: Image.Image, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", **options)
    return out.getvalue()


def _with_scans(data: bytes, copies: int) -> bytes:
    """Repeat the last scan of a progressive JPEG, as a hostile file does."""
    at = data.rindex(b"\xff\xda")
    return data[:at] + data[at:-2] * copies + data[-2:]


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"quality": 5}, {"subsampling": 0, "optimize": True}])
@pytest.mark.parametrize("kind", ["noise", "white"])
def test_ordinary_images_are_decoded(kind: str, options: dict[str, object]) -> None:
    image = _picture(300, 200) if kind == "noise" else Image.new("RGB", (3000, 2000), "white")
    data = _jpeg(image, **options)
    assert decode(data).size == image.size
    assert jpeg_scans(data)[0] == (10 if "progressive" in options else 1)


def test_an_embedded_thumbnail_is_no_scan_of_the_image() -> None:
    exif = Image.Exif()
    data = _jpeg(_picture(64, 64), exif=exif, comment=_jpeg(_picture(20, 20), progressive=True) * 5)
    assert jpeg_scans(data)[0] == 1
    decode(data)


@pytest.mark.parametrize("copies", [60, 500, 20_000])
def test_many_scans_are_refused_at_once(copies: int) -> None:
    data = _with_scans(_jpeg(_picture(64, 64), progressive=True), copies)
    start = time.process_time()
    with pytest.raises(ImageProblem, match="progressive scans"):
        decode(data, max_bytes=2**30)
    assert time.process_time() - start < 1


def test_few_scans_over_many_pixels_are_refused() -> None:
    data = _with_scans(_jpeg(Image.new("RGB", (7000, 7000)), progressive=True), 30)
    with pytest.raises(ImageProblem, match="progressive scans"):
        decode(data)


@pytest.mark.parametrize("options", [{}, {"progressive": True}])
def test_a_header_of_more_pixels_than_the_bytes_can_hold(options: dict[str, object]) -> None:
    data = _jpeg(Image.new("RGB", (64, 64)), **options)
    size = struct.pack(">HH", 64, 64)
    with pytest.raises(ImageProblem, match="too few for them"):
        decode(data.replace(size, struct.pack(">HH", 7000, 7000), 1))


def test_the_same_for_png() -> None:
    header = struct.pack(">IIBBBBB", 7000, 7000, 8, 2, 0, 0, 0)
    chunks = b""
    for name, body in ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")):
        chunks += struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    with pytest.raises(ImageProblem, match="too few for them"):
        decode(b"\x89PNG\r\n\x1a\n" + chunks)
    out = io.BytesIO()
    Image.new("1", (4000, 4000)).save(out, "PNG", optimize=True)
    assert decode(out.getvalue()).size == (4000, 4000)


@pytest.mark.parametrize("cut", range(0, 700, 13))
def test_cut_headers_are_one_problem(cut: int) -> None:
    with pytest.raises(ImageProblem):
        decode(_jpeg(_picture(64, 64), progressive=True)[:cut])
