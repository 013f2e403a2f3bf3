"""Random damage to images, tables, manifests and HDF5 files: each is read or refused by one DataError, in 5 seconds.

    uv run tox -e fuzz

Every mutation is a function of the seed and its number, so a finding can be made again with --only NUMBER.
"""

from __future__ import annotations

import argparse
import io
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from layouts import LAYOUTS
from PIL import Image
from skinframe_derm import ClinicalTemplate, Slice3d

from skinframe import DataError
from skinframe.data.images import decode
from skinframe.data.manifest import check_samples, read_manifest, write_manifest

SECONDS = 5
SPLICES = (
    b"\x00",
    b"\xff" * 9,
    b'"',
    b"\r",
    b"\n",
    b",",
    b"\xef\xbb\xbf",
    b"../",
    b"1e999",
    b"A" * 70_000,
    b"\xf0\x9f\x98\x80",
)


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Return the bytes with one to eight places flipped, spliced, cut out, repeated or cut off."""
    for _ in range(chance.choice((1, 1, 1, 2, 4, 8))):
        at, width = chance.randrange(len(data) + 1), chance.choice((1, 1, 1, 4, 32, 400))
        choice = chance.randrange(5)
        if choice == 0:
            data = data[:at] + bytes(chance.randrange(256) for _ in range(width)) + data[at + width :]
        elif choice == 1:
            data = data[:at] + chance.choice(SPLICES) + data[at:]
        elif choice == 2:
            data = data[:at] + data[at + width :]
        elif choice == 3:
            data = data[: at + width] + data[at:]
        elif chance.random() < 0.3:
            data = data[:at]
    return data


def pictures() -> dict[str, bytes]:
    pixels = np.random.default_rng(0).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    found = {}
    for kind, mode in (
        ("JPEG", "RGB"),
        ("JPEG", "CMYK"),
        ("PNG", "RGB"),
        ("PNG", "P"),
        ("PNG", "RGBA"),
        ("PNG", "I;16"),
    ):
        image = Image.fromarray(pixels[..., 0].astype(np.uint16) * 200) if mode == "I;16" else Image.fromarray(pixels)
        out, exif = io.BytesIO(), Image.Exif()
        exif[0x0112] = 6
        (image if mode == "I;16" else image.convert(mode)).save(out, kind, exif=exif)
        found[f"{kind} {mode}"] = out.getvalue()
    return found


def image(chance: random.Random, root: Path) -> str:
    data = damaged(chance.choice(list(pictures().values())), chance)
    return f"image {decode(data, draft=chance.choice((0, 20))).mode}"


def dicom(chance: random.Random, root: Path) -> str:
    from skinframe.data.dicom import decode_dicom

    return f"dicom {decode_dicom(damaged(dicom_file(), chance), 10**6, allow_burned_in=True).mode}"


def dicom_file() -> bytes:
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.77.1.4", "1.2.3"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    found = FileDataset("x", {}, file_meta=meta, preamble=b"\0" * 128)
    found.Rows, found.Columns, found.SamplesPerPixel, found.PhotometricInterpretation = 20, 30, 3, "RGB"
    found.BitsAllocated, found.BitsStored, found.HighBit, found.PixelRepresentation, found.PlanarConfiguration = (
        8,
        8,
        7,
        0,
        0,
    )
    found.PixelData = bytes(1800)
    out = io.BytesIO()
    found.save_as(out, enforce_file_format=True)
    return out.getvalue()


def table(chance: random.Random, root: Path) -> str:
    name = chance.choice(list(LAYOUTS))
    data = LAYOUTS[name].write(root)
    path = root / chance.choice(list(LAYOUTS[name].tables))
    path.write_bytes(damaged(path.read_bytes(), chance))
    samples = data.samples()
    check_samples(samples, data.fields, data.classes, data.attributes)
    for sample in samples:
        ClinicalTemplate().question(sample, data.fields)
    return f"table {name}"


def manifest(chance: random.Random, root: Path) -> str:
    data = LAYOUTS["isic2019"].write(root)
    path = root / "m.parquet"
    write_manifest(path, data.samples(), data.samples().schema)  # type: ignore[attr-defined]
    path.write_bytes(damaged(path.read_bytes(), chance))
    return f"manifest of {len(list(read_manifest(path)))}"


def hdf5(chance: random.Random, root: Path) -> str:
    LAYOUTS["slice3d"].write(root)
    path = root / "train-image.hdf5"
    whole = path.read_bytes()
    path.unlink()
    path.write_bytes(damaged(whole, chance))
    data = Slice3d(Slice3d.Config(root=str(root)))
    return f"hdf5 {decode(data.image_bytes(replace(data.samples()[0], image='ISIC_1'))).mode}"


KINDS: tuple[Callable[[random.Random, Path], str], ...] = (image, image, dicom, table, table, table, manifest, hdf5)


def one(seed: int, number: int) -> tuple[str, float]:
    """Make and read one mutation; return how it ended and the seconds. Whatever is no DataError comes out."""
    chance = random.Random(f"{seed} {number}")  # noqa: S311 - damage, not secrets
    root = Path(tempfile.mkdtemp(prefix="fuzz-"))
    kind = KINDS[number % len(KINDS)]
    began = time.perf_counter()
    signal.alarm(SECONDS)
    try:
        ended = kind(chance, root)
    except DataError as error:
        if not str(error).strip() or "Traceback" in str(error):
            raise AssertionError(f"mutation {number}: an empty message") from error
        ended = f"{kind.__name__} refused"
    finally:
        signal.alarm(0)
        shutil.rmtree(root, ignore_errors=True)
    return ended, time.perf_counter() - began


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--mutations", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int)
    given = parser.parse_args()
    signal.signal(signal.SIGALRM, _too_slow)
    ends: Counter[str] = Counter()
    slowest, wrong = 0.0, 0
    for number in [given.only] if given.only is not None else range(given.mutations):
        try:
            ended, seconds = one(given.seed, number)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt) or given.only is not None:
                raise
            wrong += 1
            print(f"mutation {number}: {type(error).__name__}: {str(error)[:200]}", file=sys.stderr)
            continue
        ends[ended] += 1
        slowest = max(slowest, seconds)
    refused = sum(count for end, count in ends.items() if end.endswith("refused"))
    print(
        f"{sum(ends.values()) + wrong} mutations: {refused} refused, {sum(ends.values()) - refused} read, {wrong} wrong"
    )
    print(f"slowest {slowest:.2f} s; " + ", ".join(f"{end} {count}" for end, count in sorted(ends.items())))
    return 1 if wrong else 0


def _too_slow(number: int, frame: object) -> None:
    raise TimeoutError(f"took more than {SECONDS} s")


if __name__ == "__main__":
    sys.exit(main())
