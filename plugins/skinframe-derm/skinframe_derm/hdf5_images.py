"""Images that lie as byte strings in one HDF5 file, read one by one."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

from skinframe import DataError
from skinframe.data.images import MAX_BYTES, ImageProblem


class Hdf5Images:
    """One file, opened at the first read and once in every process; the open file never travels to a worker."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._open: tuple[int, Any] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "_open": None}

    def read(self, name: str) -> bytes:
        """Return the encoded image of that name. Raises DataError, and ImageProblem for one that cannot be used."""
        file = self._file()
        try:
            value = _entry(file, name)[()]
        except ImageProblem:
            raise
        except (OSError, RuntimeError, ValueError, KeyError, TypeError, MemoryError) as error:
            raise ImageProblem(f"cannot be read from {self.path.name}: {type(error).__name__}") from error
        return bytes(value.tobytes() if hasattr(value, "tobytes") else value)

    def _file(self) -> Any:
        if self._open is None or self._open[0] != os.getpid():
            _at_home(self.path)
            try:
                import h5py
            except ImportError:
                raise DataError(f"{self.path}: reading it needs h5py: pip install h5py") from None
            try:
                self._open = (os.getpid(), h5py.File(self.path, "r"))
            except OSError as error:
                reason = " ".join(str(error).split())[:120]
                raise DataError(f"{self.path}: is not a readable HDF5 file: {reason}") from None
        return self._open[1]


def _at_home(path: Path) -> None:
    """Raise DataError where the file is a link out of its folder, or no regular file."""
    try:
        real = path.resolve(strict=True)
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links, in Python 3.11 and 3.12
        reason = getattr(error, "strerror", None) or "a loop of links"
        raise DataError(f"{path}: cannot be read: {reason.lower()}") from None
    if not real.is_relative_to(path.parent.resolve()):
        raise DataError(f"{path}: leads out of the data root through a link; move the file into {path.parent}")
    if not real.is_file():
        raise DataError(f"{path}: is not a regular file")


def _entry(file: Any, name: str) -> Any:
    """Return the data set of that name, judged before a byte of it is read and before any link of it is followed.

    Raises ImageProblem where reading it could leave the file or take more memory than the cap: a chunk's filter, such
    as gzip, gives out as much as its stream says, whatever the shape.
    """
    import h5py

    plain = name not in ("", ".") and "/" not in name and "\0" not in name
    if not plain or not file.id.links.exists(name.encode()):
        raise ImageProblem(f"no entry {name[:80]!r} in {Path(file.filename).name}")
    if file.id.links.get_info(name.encode()).type != h5py.h5l.TYPE_HARD:
        raise ImageProblem(f"entry {name[:80]!r} is a link to elsewhere; store the image's bytes there")
    entry = file[name]
    if not isinstance(entry, h5py.Dataset):
        raise ImageProblem(f"entry {name[:80]!r} is no data set")
    made = entry.id.get_create_plist()
    if made.get_external_count() or made.get_layout() not in (h5py.h5d.COMPACT, h5py.h5d.CONTIGUOUS):
        raise ImageProblem(
            f"entry {name[:80]!r} is external, virtual, chunked or compressed; store the image's bytes as they are"
        )
    if entry.shape is None or entry.dtype.hasobject:
        raise ImageProblem(f"entry {name[:80]!r} has no fixed size; store the image's bytes as an opaque value")
    size = math.prod(entry.shape) * entry.dtype.itemsize
    if size > MAX_BYTES:
        raise ImageProblem(f"is {size} bytes; the cap is {MAX_BYTES}")
    return entry
