"""Which image references stay inside their root."""

from __future__ import annotations

import re
from pathlib import PurePosixPath


def path_problem(reference: str) -> str | None:
    """Say why an image reference is not a plain relative path inside its root; None where it is one."""
    if not reference.strip():
        return "is empty"
    if not reference.isprintable():  # control characters, NUL, line ends, and marks that turn the writing around
        return "holds a control character"
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", reference):
        return "is a URL or names a drive; only files under the data root are read"
    if reference.startswith(("/", "\\")):
        return "is absolute; write it relative to the data root"
    if reference.startswith("~"):
        return "starts with '~'; write it relative to the data root"
    if ".." in PurePosixPath(reference.replace("\\", "/")).parts:
        return "holds '..' and could leave the data root"
    return None
