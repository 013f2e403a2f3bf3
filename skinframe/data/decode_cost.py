"""What decoding an image would cost, from its bytes alone: a small file can ask for minutes or for gigabytes."""

from __future__ import annotations

import re

MAX_SCANS = 64  # of a progressive JPEG; encoders write about ten
MAX_SCANNED = 1_500_000_000  # pixels x scans: each scan passes over all of them
MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # inside compressed data FF is followed by 00 or a restart marker
SOS, EOI, STANDALONE = 0xDA, 0xD9, (0x01, 0xD8, *range(0xD0, 0xD8))
HUFFMAN = (0xC0, 0xC1, 0xC2)  # frames with Huffman codes; an arithmetic code has no smallest size
PIXELS_PER_BYTE = 512  # at most: a block of 8 x 8 pixels takes one bit or more
DEFLATE = 1032  # the largest ratio that deflate can reach
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of a PNG by its colour type


def cost_problem(data: bytes, width: int, height: int) -> str | None:
    """Return why a JPEG or PNG of this size in its header must not be decoded; None if it may."""
    pixels = width * height
    if data.startswith(b"\x89PNG"):
        return _png_problem(data, width, height)
    scans, frame = jpeg_scans(data)
    if scans > MAX_SCANS or scans * pixels > MAX_SCANNED:
        return f"has {scans} progressive scans of {width} x {height} pixels; decoding it would take too long"
    if frame in HUFFMAN and pixels > PIXELS_PER_BYTE * len(data):
        return f"declares {width} x {height} pixels and has {len(data):,} bytes, too few for them"
    return None


def jpeg_scans(data: bytes) -> tuple[int, int | None]:
    """Return the number of scans of a JPEG, counted up to one more than is allowed, and the marker of its frame."""
    scans, frame, at = 0, None, 2
    while scans <= MAX_SCANS:
        found = MARKER.search(data, at)
        if found is None or data[found.end() - 1] == EOI:
            break
        kind, at = data[found.end() - 1], found.end()
        if kind in STANDALONE:
            continue
        scans += kind == SOS
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            frame = kind
        at += int.from_bytes(data[at : at + 2], "big")
    return scans, frame


def _png_problem(data: bytes, width: int, height: int) -> str | None:
    if len(data) < 26:
        return None  # the decoder says what it lacks
    bits = data[24] * CHANNELS.get(data[25], 1)
    if height * (1 + width * bits // 8) > DEFLATE * len(data):
        return f"declares {width} x {height} pixels and has {len(data):,} bytes, too few for them"
    return None
