"""report.json and report.html, each complete or absent, never half."""

from __future__ import annotations

import contextlib
import os
import uuid
from pathlib import Path

from skinframe.errors import DataError, DiskError
from skinframe.report.codec import dumps, loads
from skinframe.report.page import render
from skinframe.report.schema import Report


def write_report(report: Report, folder: Path) -> tuple[Path, Path]:
    """Write report.json and report.html into `folder`; return their paths. Raises DiskError, DataError."""
    text = dumps(report)
    # a report that could not be read back is a bug found here, not by whoever opens it next year
    loads(Report, text)
    page = render(report)
    json_path, html_path = folder / "report.json", folder / "report.html"
    replace(json_path, text)
    replace(html_path, page)
    return json_path, html_path


def read_report(path: Path) -> Report:
    """Read report.json, from the file or from the run folder that holds it. Raises DataError."""
    file = path / "report.json" if path.is_dir() else path
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: no readable report here ({error}); name a finished run's folder") from error
    return loads(Report, text, str(file))


def replace(path: Path, text: str) -> None:
    """Write a text file so that a crash leaves the old one or the new one. Raises DiskError."""
    temporary = path.with_name(f".{path.name}.tmp-{uuid.uuid4().hex[:8]}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            # a lone surrogate in an id has no UTF-8 form
            file.write(text.encode("utf-8", "replace"))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise DiskError(f"{path}: could not be written ({error.strerror or error}); free space or --out") from error


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
