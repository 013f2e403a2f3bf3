"""The training log: one JSON line a step, cut back to what a checkpoint states."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skinframe.durable import disk_errors
from skinframe.errors import Problem, RecipeError
from skinframe.train.step import StepRecord


def append(stream: io.FileIO, path: Path, text: str) -> None:
    data = text.encode()
    with disk_errors(path):
        while data:
            data = data[stream.write(data) :]


def truncate(path: Path, size: int) -> None:
    """Forget log lines of the epoch that was cut off: it is trained again, bit for bit.

    Raises RecipeError where the log holds less than the checkpoint says.
    """
    found = path.stat().st_size if path.is_file() else 0
    if found < size:
        what = f"has {found} bytes where the checkpoint says {size}; restore it, or move the run folder away"
        raise RecipeError(str(path.parent), [Problem(path.name, what)])
    with disk_errors(path), path.open("ab") as stream:
        stream.truncate(size)


def line_of(
    epoch: int,
    step: int,
    factor: float,
    record: StepRecord,
    micro: list[list[int]],
    floors: dict[str, float],
    notes: Mapping[str, Mapping[str, float]],
) -> dict[str, Any]:
    parts: dict[str, dict[str, float]] = {}
    for name, weight in record.weights.items():
        parts[name] = {"weight": weight}
        if name in record.factors:
            parts[name]["factor"] = record.factors[name]
        if name in record.parts:
            parts[name]["value"] = record.parts[name]
        if name in record.part_norms:
            parts[name]["grad_norm"] = record.part_norms[name]
            parts[name]["grad_share"] = record.part_shares[name]
        if name in floors and name in record.parts:
            parts[name]["floor"] = floors[name]
        if name in record.parts:
            parts[name] |= notes[name]
    return {
        "step": step,
        "epoch": epoch,
        "rate": factor,
        "total": record.total,
        "grad_norm": record.norm,
        "samples": sum(len(rows) for rows in micro),
        "micro_batches": len(micro),
        "parts": parts,
    }
