"""The header of a safetensors file: names, types and shapes of its tensors without their data."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Any

from skinframe.untrusted_files import UnreadableError, open_regular, parse_object

MAX_HEADER = 100_000_000  # bytes of a safetensors header; the limit of safetensors itself
_TYPES = {  # of safetensors, by the bits of one value
    4: "F4",
    6: "F6_E2M3 F6_E3M2",
    8: "BOOL U8 I8 F8_E4M3 F8_E5M2 F8_E8M0",
    16: "I16 U16 F16 BF16",
    32: "I32 U32 F32",
    64: "I64 U64 F64 C64",
}
DTYPE_BITS = {name: bits for bits, names in _TYPES.items() for name in names.split()}


def safetensors_header(path: Path) -> dict[str, dict[str, Any]]:
    """Return `{tensor name: {"dtype", "shape", "data_offsets"}}` of a safetensors file, reading its header only.

    The header must describe the whole file: a cut-off download is found. Raises UnreadableError.
    """
    try:
        with open_regular(path) as stream:
            size = os.fstat(stream.fileno()).st_size
            start = stream.read(8)
            if start.startswith(b"version "):
                what = "is a Git LFS pointer, not the weights themselves; fetch them with 'git lfs pull'"
                raise UnreadableError(path, what)
            length = struct.unpack("<Q", start)[0] if len(start) == 8 else size
            if length > min(MAX_HEADER, size - 8):
                raise UnreadableError(path, "is not a safetensors file, or is cut off in its header")
            header = parse_object(stream.read(length), path)
    except (OSError, ValueError) as error:
        raise UnreadableError(path, "cannot be read as safetensors") from error
    header.pop("__metadata__", None)
    ends = [_tensor_end(path, name, entry) for name, entry in header.items()]
    if size != 8 + length + max(ends, default=0):
        stated = 8 + length + max(ends, default=0)
        raise UnreadableError(path, f"has {size:,} bytes, its header describes {stated:,}; fetch it again")
    return header


def _tensor_end(path: Path, name: str, entry: Any) -> int:
    """Return where a tensor's data end, after checking that shape, type and place agree."""
    try:
        shape, bits, (first, last) = entry["shape"], DTYPE_BITS[entry["dtype"]], entry["data_offsets"]
        whole = all(type(size) is int and 0 <= size < 2**62 for size in (*shape, first, last))
    except (KeyError, TypeError, ValueError):
        whole = False
    if whole:
        count = 1
        for size in shape:
            count *= size
        whole = isinstance(shape, list) and last - first == -(-count * bits // 8)
    if not whole:
        raise UnreadableError(path, f"its header does not describe the tensor {name[:80]!r}")
    return int(last)
