"""How fast rows validate and image bytes hash, and what memory that takes. Run it by hand; it is no test:

    python tests/benchmarks/manifest_scale.py

Times are CPU seconds of this one process, so that other work on the machine does not enter.
"""

from __future__ import annotations

import hashlib
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import skinframe
from skinframe import Field, Sample
from skinframe.data.image_table import image_table
from skinframe.data.images import read_confined
from skinframe.data.manifest import build_manifest, read_manifest, write_manifest
from skinframe.data.row_schema import RawRow, RowSchema

FIELDS = (Field(name="age", low=0, high=120), Field(name="sex", values=("female", "male")))
SITES = Field(name="site", values=("head/neck", "upper extremity", "lower extremity", "torso front", "torso back"))
IMAGE, FILES = 4 * 2**20, 64  # bytes an image (a large dermoscopic original) and how many are hashed


class Folder(skinframe.Dataset):
    """A folder of files whose bytes are hashed and not decoded."""

    name = "folder"
    classes, fields = ("x",), ()

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.root = root

    def samples(self) -> Sequence[Sample]:
        return [Sample(id=path.name, image=path.name, label=0) for path in sorted(self.root.iterdir())]

    def image_bytes(self, sample: Sample) -> bytes:
        return read_confined(self.root, sample.image)

    def digest(self) -> str:
        return "0"


def rows(count: int) -> Iterator[RawRow]:
    for i in range(count):
        yield {
            "id": f"ISIC_{i:07d}",
            "image": f"ISIC_{i:07d}",
            "label": "malignant" if i % 1000 == 0 else "benign",
            "patient": f"IP_{i % 1042:07d}",
            "meta.age": str(5 * (i % 18)),
            "meta.sex": FIELDS[1].values[i % 2],
            "meta.site": SITES.values[i % 5],
            "labels": (("own", "nevus"),),
            "file": "train-metadata.csv",
            "line": i + 2,
        }


def peak() -> float:
    """Return the peak resident memory of this process in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    schema = RowSchema((*FIELDS, SITES), ("benign", "malignant"), group="patient")
    for count in (50_000, 401_059):
        began = time.process_time()
        made = build_manifest("simulated", rows(count), schema)
        built = time.process_time() - began
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "manifest.parquet")
            write_manifest(path, made, schema)
            began = time.process_time()
            read = read_manifest(path)
            again, size = time.process_time() - began, path.stat().st_size / 2**20
        assert read.digest == made.digest
        print(
            f"{count:,} rows: text to manifest {built:.1f} s, Parquet ({size:.1f} MiB) read and checked {again:.1f} s, "
            f"table {made.table.nbytes / 2**20:.0f} MiB, peak {peak():.0f} MiB"
        )
    with tempfile.TemporaryDirectory() as folder:
        for i in range(FILES):
            Path(folder, f"{i}.jpg").write_bytes(i.to_bytes(4, "big") * (IMAGE // 4))
        data = Folder(Path(folder))
        for _ in range(2):  # the second pass reads from the page cache
            began = time.process_time()
            table = image_table(data, data.samples(), workers=1, decoded=False, keep_bytes=0)
            spent = time.process_time() - began
        assert table.keys[0] == hashlib.sha256(read_confined(Path(folder), "0.jpg")).hexdigest()
    rate = FILES * IMAGE / spent / 1e9
    print(f"hashing {FILES} x {IMAGE >> 20} MiB, one core: {rate:.2f} GB/s, peak {peak():.0f} MiB")


if __name__ == "__main__":
    main()
