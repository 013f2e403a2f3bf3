"""The training log: one JSON line per step, truncated on resume to the length in the checkpoint."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from skinframe.atomic_write import disk_errors
from skinframe.components import Tracker
from skinframe.errors import Problem, RecipeError, SkinframeError
from skinframe.planning import Plan
from skinframe.train.training_step import StepRecord


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
    micro: Sequence[Sequence[int]],
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


class Trackers:
    """The trackers of a run, made for it: a plan holds only their classes and options. They are closed in any case."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self._plan, self._folder = plan, folder
        self._trackers = {name: type(each)(each.config) for name, each in plan.parts.trackers.items()}

    def __enter__(self) -> Self:
        for name, tracker in self._trackers.items():
            self._call(name, lambda own: own.start(self._folder, self._plan.run_name, self._plan.identity), tracker)
        return self

    def __exit__(self, *_: object) -> None:
        for name, tracker in self._trackers.items():
            self._call(name, lambda own: own.close(), tracker)

    def log(self, step: int, line: Mapping[str, Any]) -> None:
        """Give the numbers of a log line to each tracker. Raises RecipeError naming one that fails."""
        values = tracked_values(line) if self._trackers else {}
        for name, tracker in self._trackers.items():
            self._call(name, lambda own: own.log(step, dict(values)), tracker)

    def _call(self, name: str, use: Callable[[Tracker], None], tracker: Tracker) -> None:
        try:
            use(tracker)
        except SkinframeError:
            raise
        except Exception as error:  # a stranger's tracker may raise anything
            what = f"'{tracker.name}' raised {type(error).__name__}: {error}"
            raise RecipeError(self._plan.source, [Problem(f"trackers.{name}", what)]) from error


def tracked_values(line: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers of a log line by name: those of the step, and `TERM/value`, `TERM/weight`, …"""
    values = {"total": line["total"], "grad_norm": line["grad_norm"], "rate": line["rate"]}
    for name, part in line["parts"].items():
        values |= {f"{name}/{key}": value for key, value in part.items()}
    return values
