"""Checks that an output folder can be written, before anything is computed."""

from __future__ import annotations

from pathlib import Path

from skinframe.atomic_write import disk_errors, write_atomic
from skinframe.errors import DiskError

PROBE = ".written"
WRITTEN = ("metrics.json", "calibrators.json", "report.json", "report.html", "predictions.parquet")


def make_ready(out: Path) -> None:
    """Make the folder and write into it, once. Raises DiskError where it cannot be one or a folder is in the way."""
    with disk_errors(out):
        out.mkdir(parents=True, exist_ok=True)
    write_atomic(out / PROBE, b"")
    (out / PROBE).unlink()
    for name in WRITTEN:
        if (out / name).is_dir():
            raise DiskError(
                f"{out / name}: is a folder where a file is to be written; choose another folder with --out"
            )
