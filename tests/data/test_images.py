import io
import os
import struct
import subprocess
import sys
import time
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile, PngImagePlugin

from skinframe import DataError
from skinframe.data.images import ImageProblem, decode, pixel_key, read_confined


def picture(width: int = 40, height: int = 30) -> Image.Image:
    y, x = np.mgrid[0:height, 0:width]
    return Image.fromarray(np.stack([x * 6 % 256, y * 8 % 256, (x + y) * 3 % 256], axis=2).astype(np.uint8))


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


def jpeg_header(width: int, height: int) -> bytes:
    data = bytearray(encoded(picture(), "JPEG"))
    frame = data.index(b"\xff\xc0") + 5  # the two sizes of the frame header
    data[frame : frame + 4] = struct.pack(">HH", height, width)
    return bytes(data)


def animation() -> bytes:
    return encoded(picture(), save_all=True, append_images=[picture().rotate(90)], duration=50)


def as_pdf() -> bytes:
    return encoded(picture(), "PDF")


BAD = {
    "empty": (b"", "is empty"),
    "html": (b"<!DOCTYPE html><html>not found</html>", "is not a JPEG or PNG"),
    "gif": (encoded(picture(), "GIF"), "is not a JPEG or PNG"),
    "tiff": (encoded(picture(), "TIFF"), "is not a JPEG or PNG"),
    "eps": (encoded(picture(), "EPS"), "is not a JPEG or PNG"),
    "pdf": (as_pdf(), "is not a JPEG or PNG"),
    "fits": (b"SIMPLE  =                    T" + b" " * 3000, "is not a JPEG or PNG"),
    "psd": (b"8BPS\0\1" + b"\0" * 100, "is not a JPEG or PNG"),
    "truncated jpeg": (encoded(picture(200, 150), "JPEG")[:-900], "cannot be decoded: image file is truncated"),
    "truncated png": (encoded(picture(200, 150))[:-200], "cannot be decoded"),
    "only a jpeg header": (encoded(picture(), "JPEG")[:30], "cannot be decoded|is not a JPEG"),
    "png bomb": (png_header(65_000, 65_000), "more pixels than the limit|is 65000 x 65000 pixels"),
    "jpeg bomb": (jpeg_header(65_000, 65_000), "more pixels than the limit|is 65000 x 65000 pixels"),
    "over the cap": (png_header(9_000, 9_000), "is 9000 x 9000 pixels; the limit is 64000000"),
    "animated": (animation(), "has 2 frames"),
    "one pixel": (encoded(picture(1, 1)), "is 1 x 1 pixels; needs 16 per side"),
    "strip": (encoded(picture(16, 20_000)), "at most 20 to 1"),
    "text bomb": (b"", ""),  # filled below
}


def text_bomb() -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("note", "a" * 80_000_000, zip=True)
    return encoded(picture(), pnginfo=info)


BAD["text bomb"] = (text_bomb(), "cannot be decoded|more pixels")


@pytest.mark.parametrize("name", BAD)
def test_bad_bytes_give_one_line_fast_and_small(name: str) -> None:
    data, said = BAD[name]
    tracemalloc.start()
    began = time.perf_counter()
    with pytest.raises(ImageProblem, match=said) as raised:
        decode(data)
    spent, (_, peak) = time.perf_counter() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "\n" not in str(raised.value)
    assert spent < 1
    assert peak < 20 * 2**20


@pytest.mark.gate("C2")
def test_bombs_allocate_no_pixels() -> None:
    code = """
import resource, sys
from skinframe.data.images import ImageProblem, decode
data = sys.stdin.buffer.read()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    decode(data)
except ImageProblem:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    for name in ("png bomb", "jpeg bomb", "text bomb", "over the cap"):
        done = subprocess.run([sys.executable, "-c", code], input=BAD[name][0], capture_output=True, check=True)
        assert int(done.stdout) < 50 * 1024, name  # KiB on Linux


def test_another_librarys_switches_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    for name in ("truncated jpeg", "png bomb", "jpeg bomb"):
        with pytest.raises(ImageProblem):
            decode(BAD[name][0])
    assert ImageFile.LOAD_TRUNCATED_IMAGES is True


def test_byte_cap_and_pixel_cap_are_options() -> None:
    data = encoded(picture())
    with pytest.raises(ImageProblem, match=f"is {len(data)} bytes; the limit is 100"):
        decode(data, max_bytes=100)
    with pytest.raises(ImageProblem, match="is 40 x 30 pixels; the limit is 1199"):
        decode(data, max_pixels=1199)
    assert decode(data, max_pixels=1200).size == (40, 30)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_gives_the_upright_pixels(orientation: int, kind: str) -> None:
    upright = picture(48, 32)
    back = {1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}[orientation]  # Pillow's transpose numbers, inverse turn
    stored = upright if back is None else upright.transpose(Image.Transpose(back))
    exif = Image.Exif()
    exif[0x0112] = orientation
    result = decode(encoded(stored, kind, exif=exif, **({"quality": 100, "subsampling": 0} if kind == "JPEG" else {})))
    assert result.size == (48, 32)
    difference = np.abs(np.asarray(result, int) - np.asarray(upright, int)).mean()
    assert difference < (1.5 if kind == "JPEG" else 1e-9)


@pytest.mark.gate("C4")
def test_nothing_but_pixels_survives() -> None:
    exif = Image.Exif()
    exif[0x010E] = "Jane Doe, born 1950"
    data = encoded(picture(), "JPEG", exif=exif, comment=b"patient 4711", icc_profile=b"profile" * 20)
    assert b"Jane Doe" in data
    result = decode(data)
    assert result.info == {}
    assert type(result) is Image.Image
    for kind in ("PNG", "JPEG"):
        again = encoded(result, kind)
        assert not any(word in again for word in (b"Jane", b"4711", b"profile"))


def test_a_broken_tag_block_keeps_the_pixels() -> None:
    data = encoded(picture(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff garbage")
    assert decode(data).size == (40, 30)


def test_modes_become_rgb() -> None:
    grey = np.linspace(0, 65535, 40 * 30).reshape(30, 40).astype(np.uint16)
    deep = np.asarray(decode(encoded(Image.fromarray(grey))))
    assert (deep[..., 0] == grey >> 8).all()
    for mode in ("L", "1", "P", "RGBA", "LA"):
        converted = picture().convert(mode)
        result = decode(encoded(converted))
        assert result.mode == "RGB"
        assert np.abs(np.asarray(result, int) - np.asarray(converted.convert("RGB"), int)).max() == 0
    cmyk = decode(encoded(picture().convert("CMYK"), "JPEG", quality=100))
    assert np.abs(np.asarray(cmyk, int) - np.asarray(picture(), int)).mean() < 4


def test_sixteen_bit_colour_keeps_the_high_byte() -> None:
    width, height, value = 20, 18, 0xABCD
    row = b"\0" + struct.pack(">HHH", value, 0, 0xFFFF) * width
    body = zlib.compress(row * height)
    data = png_header(1, 1)[:8]
    for kind, content in (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)),
        (b"IDAT", body),
        (b"IEND", b""),
    ):
        data += struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    assert decode(data).getpixel((3, 3)) == (0xAB, 0, 0xFF)


def test_transparency_shows_white() -> None:
    clear = Image.new("RGBA", (20, 20), (255, 0, 0, 0))
    assert decode(encoded(clear)).getpixel((5, 5)) == (255, 255, 255)
    palette = picture(20, 20).convert("P")
    at = int(np.asarray(palette)[5, 5])
    assert decode(encoded(palette, transparency=at)).getpixel((5, 5)) == (255, 255, 255)


@settings(deadline=None, derandomize=True, max_examples=250)
@given(st.sampled_from(["PNG", "JPEG"]), st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=12))
def test_mutated_bytes_give_an_image_or_a_reason(kind: str, changes: list[tuple[int, int]]) -> None:
    data = bytearray(encoded(picture(), kind))
    for place, value in changes:
        data[place % len(data)] = value
    try:
        assert decode(bytes(data)).mode == "RGB"
    except ImageProblem as problem:
        assert "\n" not in str(problem)  # noqa: PT017 - either outcome is right


@pytest.mark.gate("C6")
def test_confined_reading(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "part").mkdir(parents=True)
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    (root / "part" / "a.jpg").write_bytes(b"bytes")
    (root / "inside.jpg").symlink_to("part/a.jpg")
    (root / "out.jpg").symlink_to(tmp_path / "secret.jpg")
    (root / "loop.jpg").symlink_to("loop.jpg")
    (root / "linked").symlink_to(tmp_path)
    os.mkfifo(root / "pipe.jpg")
    assert read_confined(root, "part/a.jpg") == b"bytes"
    assert read_confined(root, "inside.jpg") == b"bytes"
    for name in ("out.jpg", "linked/secret.jpg"):
        with pytest.raises(DataError, match=rf"{name}: its path leaves the data root through a symlink") as raised:
            read_confined(root, name)
        assert not isinstance(raised.value, ImageProblem)
    for name in ("../secret.jpg", "/etc/hostname", "~/x", "x\0y", "https://example.org/a.jpg"):
        with pytest.raises(DataError, match="image "):
            read_confined(root, name)
    for name, said in (("none.jpg", "no such file"), ("part", "not a regular"), ("loop.jpg", "cannot be read")):
        with pytest.raises(ImageProblem, match=said):
            read_confined(root, name)
    with pytest.raises(ImageProblem, match="not a regular file"):
        read_confined(root, "pipe.jpg")
    with pytest.raises(ImageProblem, match="is 5 bytes; the limit is 4"):
        read_confined(root, "part/a.jpg", max_bytes=4)


def test_draft_decodes_smaller_under_a_key_of_its_own() -> None:
    data = encoded(picture(800, 600), "JPEG")
    assert [decode(data, draft=side).size for side in (0, 601, 300, 160)] == [
        (800, 600),
        (800, 600),
        (400, 300),
        (400, 300),
    ]
    assert decode(data, draft=150).size == (200, 150)
    assert decode(encoded(picture(800, 600)), draft=150).size == (800, 600)  # a PNG has no such mode
    assert pixel_key("a" * 64) == "a" * 64
    assert len({pixel_key("a" * 64, side) for side in (0, 150, 300)}) == 3


def test_draft_is_as_upright_as_the_whole() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(picture(800, 600), "JPEG", exif=exif)
    small = decode(data, draft=300)
    whole = decode(data).resize(small.size, Image.Resampling.BOX)
    assert small.size == (300, 400)
    assert np.abs(np.asarray(small, int) - np.asarray(whole, int)).mean() < 12


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"patient Jane Doe, born 1970", "unknown"),
        (b"GIF89a Jane Doe", "GIF"),
        (b"<html>Jane Doe</html>", "HTML or XML"),
        (b"\xff\xd8 Jane Doe", "damaged JPEG"),
    ],
)
def test_a_reason_names_the_format_and_quotes_no_byte(data: bytes, name: str) -> None:
    with pytest.raises(ImageProblem) as found:
        decode(data)
    assert found.value.reason == f"is not a JPEG or PNG (recognised as: {name})"


def test_a_decoders_own_words_quote_no_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*words: object, **more: object) -> None:
        raise SyntaxError("broken PNG file (chunk b'Jane')")

    monkeypatch.setattr(Image, "open", broken)
    with pytest.raises(ImageProblem, match=r"^cannot be decoded: broken PNG file \(chunk some bytes\)$"):
        decode(b"x")


@pytest.mark.parametrize("further", [1, 2])
def test_the_first_picture_of_a_phone_s_mpo_is_the_photograph(further: int) -> None:
    first, other = Image.new("RGB", (40, 30), (200, 10, 10)), Image.new("RGB", (20, 20), (0, 0, 255))
    plain, several = io.BytesIO(), io.BytesIO()
    first.save(plain, "JPEG", quality=90)
    first.save(several, "MPO", save_all=True, append_images=[other] * further, quality=90)
    found = decode(several.getvalue())
    assert found.size == (40, 30)
    assert np.asarray(found)[..., 0].mean() > 150
    with pytest.raises(ImageProblem):
        decode(several.getvalue()[:200])
