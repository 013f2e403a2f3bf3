"""Images that lie as byte strings in one HDF5 file, read one by one."""

from __future__ import annotations

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
        """Return the encoded image of that name. Raises DataError, and ImageProblem for one that is not there."""
        file = self._file()
        try:
            entry = file.get(name)
            if entry is None or not hasattr(entry, "shape"):
                raise ImageProblem(f"no entry {name[:80]} in {self.path.name}")
            size = entry.id.get_storage_size()
            if size > MAX_BYTES:
                raise ImageProblem(f"is {size} bytes; the cap is {MAX_BYTES}")
            value = entry[()]
        except (OSError, RuntimeError, ValueError, KeyError) as error:
            raise ImageProblem(f"cannot be read from {self.path.name}: {type(error).__name__}") from error
        return bytes(value.tobytes() if hasattr(value, "tobytes") else value)

    def _file(self) -> Any:
        if self._open is None or self._open[0] != os.getpid():
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
