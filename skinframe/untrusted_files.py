"""Read files that a stranger may have written: regular files, bounded size and depth, one clear error for any bytes.

Files that a user can name are read by this module, or by `skinframe.recipe.yaml_text`, which is built on it.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, TypeVar, cast

from skinframe.errors import DataError, SkinframeError
from skinframe.printable_text import printable

MIB = 2**20
MAX_BYTES = 256 * MIB  # a report with its figures is about 3 MiB, a split of 400,000 images about 8 MiB
MAX_DEPTH = 64  # of JSON; what skinframe writes stays under 12
MAX_DIGITS = 320  # of an integer: more than any double has
ESCAPED = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")  # a NUL or half of a surrogate pair, as JSON writes them
LONG_NUMBER = re.compile(rf"[0-9]{{{MAX_DIGITS + 1}}}")
KINDS = {dict: "an object", list: "a list"}
T = TypeVar("T", dict[str, Any], list[Any])


class UnreadableError(DataError):
    """A file is missing, is no regular file, is too large, or its bytes are not what the format asks for."""

    def __init__(self, where: object, reason: str) -> None:
        self.where, self.reason = printable(str(where)), printable(reason)
        super().__init__(f"{self.where}: {self.reason}")


@contextmanager
def well_formed(where: object) -> Iterator[None]:
    """Turn the errors of taking apart a value that was read from `where` into an UnreadableError: it is not ours."""
    try:
        yield
    except SkinframeError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError, RecursionError) as error:
        what = f"no {error}" if isinstance(error, KeyError) else f"{type(error).__name__}: {error}"
        raise UnreadableError(where, f"does not have the form in which it was written ({what[:200]})") from error


def read_bytes(path: Path, most: int = MAX_BYTES) -> bytes:
    """Return the bytes of a regular file of at most `most` bytes. Raises UnreadableError; waits for no pipe."""
    with open_regular(path) as stream:
        size = os.fstat(stream.fileno()).st_size
        if size > most:
            raise UnreadableError(path, f"has {size:,} bytes; at most {most:,} are read")
        try:
            data = stream.read(size + 1)  # not `most`: Python would reserve it
        except OSError as error:
            raise UnreadableError(path, (error.strerror or str(error)).lower()) from error
    if len(data) > size:
        raise UnreadableError(path, "was changed while it was read")
    return data


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a regular file of any size. Raises UnreadableError."""
    with open_regular(path) as stream:
        try:
            return hashlib.file_digest(cast(io.BufferedReader, stream), "sha256").hexdigest()
        except OSError as error:
            raise UnreadableError(path, (error.strerror or str(error)).lower()) from error


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file to read. Raises UnreadableError for a folder, pipe or device, and for an impossible name."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise UnreadableError(path, "no such file") from None
    except OSError as error:
        raise UnreadableError(path, (error.strerror or str(error)).lower()) from error
    except ValueError as error:  # a NUL or half a surrogate pair in the name
        raise UnreadableError(path, "is not a name that a file can have") from error
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        os.close(handle)
        raise UnreadableError(path, "is a folder" if stat.S_ISDIR(status.st_mode) else "is not a regular file")
    return open(handle, "rb")


def read_text(path: Path, most: int = MAX_BYTES) -> str:
    """Return the UTF-8 text of a regular file. Raises UnreadableError."""
    try:
        return read_bytes(path, most).decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableError(path, f"is not UTF-8 text (byte {error.start})") from error


def read_object(path: Path, most: int = MAX_BYTES) -> dict[str, Any]:
    """Return the object in a JSON file. Raises UnreadableError."""
    return _expect(dict, parse_json(read_bytes(path, most), path), path)


def read_list(path: Path, most: int = MAX_BYTES) -> list[Any]:
    """Return the list in a JSON file. Raises UnreadableError."""
    return _expect(list, parse_json(read_bytes(path, most), path), path)


def read_json_lines(path: Path, most: int = MAX_BYTES, *, any_text: bool = False) -> list[dict[str, Any]]:
    """Return the objects of a file with one JSON object per line. Raises UnreadableError with the line's number."""
    lines = [(f"{path}, line {number}", line) for number, line in enumerate(read_text(path, most).split("\n"), 1)]
    return [parse_object(line, where, any_text=any_text) for where, line in lines if line.strip()]


def parse_object(text: str | bytes, where: object, *, any_text: bool = False) -> dict[str, Any]:
    """Return the object that JSON text contains. Raises UnreadableError."""
    return _expect(dict, parse_json(text, where, any_text=any_text), where)


def parse_json(text: str | bytes, where: object, *, any_text: bool = False) -> Any:
    """Return the value of JSON text: at most 64 levels deep, no huge number, no text that cannot be written again.

    `any_text` allows such text too, for what is only shown. Raises UnreadableError for everything else.
    """
    try:
        plain = text if isinstance(text, str) else text.decode("utf-8")
        if plain.startswith("version https://git-lfs"):
            raise UnreadableError(where, "is a Git LFS pointer, not the file itself; fetch it with 'git lfs pull'")
        if LONG_NUMBER.search(plain):
            check_digits(plain, where)
        value = json.loads(plain)
    except UnicodeDecodeError as error:
        raise UnreadableError(where, f"is not UTF-8 text (byte {error.start})") from error
    except RecursionError as error:
        raise UnreadableError(where, f"is nested deeper than {MAX_DEPTH} levels") from error
    except json.JSONDecodeError as error:
        raise UnreadableError(where, f"is not JSON (line {error.lineno}: {error.msg.lower()})") from error
    except ValueError as error:
        raise UnreadableError(where, "is not JSON (a number is too long)") from error
    check_nesting(value, where, texts=not any_text and ESCAPED.search(plain) is not None)
    return value


def check_digits(text: str, where: object) -> None:
    """Raise UnreadableError where a number outside quotes has too many digits."""
    for found in LONG_NUMBER.finditer(re.sub(r'"(?:[^"\\]|\\.)*"', '""', text)):
        raise UnreadableError(where, f"has a number of more than {MAX_DIGITS} digits (at character {found.start()})")


def check_nesting(value: Any, where: object, *, texts: bool, deepest: int = MAX_DEPTH) -> None:
    """Raise UnreadableError for a value that is nested too deeply, or (`texts`) has text that no file can hold."""
    level = [value]
    for _ in range(deepest + 1):
        inner: list[Any] = []
        for item in level:
            if isinstance(item, Mapping):
                inner += item.values()
                inner += item.keys() if texts else ()
            elif isinstance(item, list | tuple):
                inner += item
            elif texts and isinstance(item, str) and unstorable(item):
                raise UnreadableError(where, "has text with a NUL or an incomplete character")
        level = inner if texts else [item for item in inner if isinstance(item, Mapping | list | tuple)]
        if not level:
            return
    raise UnreadableError(where, f"is nested deeper than {deepest} levels")


def unstorable(text: str) -> bool:
    """Say whether text holds a NUL or half a surrogate pair: no file name and no UTF-8 file can."""
    return "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text)


def _expect(kind: type[T], value: Any, where: object) -> T:
    if not isinstance(value, kind):
        raise UnreadableError(where, f"expected {KINDS[kind]} in JSON, found {type(value).__name__}")
    return value


def inside(folder: Path, name: str) -> Path:
    """Return `folder/name` for a name read from a file of that folder: plain, relative, and no link that leads out.

    The links of a snapshot in a hub's cache lead to its `blobs`, and may. Raises UnreadableError.
    """
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or "\\" in name or unstorable(name):
        raise UnreadableError(folder, f"names a file outside of itself: {name[:80]!r}")
    if len(name) > 1024 or any(len(part.encode()) > 255 for part in parts):
        raise UnreadableError(folder, f"names a file whose name is too long: {name[:40]!r}…")
    path, roots = folder / name, [folder]
    if folder.absolute().parent.name == "snapshots":
        roots.append(folder.absolute().parent.parent / "blobs")
    try:
        real = path.resolve()
        if any(real.is_relative_to(root.resolve()) for root in roots):
            return path
    except (OSError, RuntimeError):  # a circle of links
        pass
    raise UnreadableError(path, "is a link to a file outside of its folder")
