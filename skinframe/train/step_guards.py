"""What can interrupt a step: out of memory, non-finite values, a signal, a full disk."""

from __future__ import annotations

import gc
import logging
import shutil
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Literal, NoReturn

import torch

from skinframe.atomic_write import disk_errors, free_bytes, write_folder
from skinframe.errors import DiskError, NonFiniteError, Problem, RecipeError
from skinframe.model.module import Model
from skinframe.model.objective import Objective
from skinframe.planning.plan_text import size_text
from skinframe.train.checkpoint import checkpoint_files

log = logging.getLogger("skinframe")
MEMORY_ERRORS = ("out of memory", "not enough memory", "can't allocate memory", "CUBLAS_STATUS_ALLOC_FAILED")
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
SMALL = 2**26  # bytes for log, predictions, rationales and report


@dataclass(frozen=True)
class Verdict:
    """What is decided about a step once its gradients are there and before the optimiser moves anything.

    All of it is decided in one place, so that several processes can agree on it there.
    """

    action: Literal["update", "cut finer", "diagnose"]
    stop: bool = False  # leave with a checkpoint after this step


def decide(error: Exception | None, stop: Stop) -> Verdict:
    """Return what to do about a step whose forward and backward passes ended with `error`, or with none.

    Raises the error itself where it is neither about memory nor about figures that are not finite.
    """
    if error is None:
        return Verdict("update", stop.signal is not None)
    if isinstance(error, NonFiniteError):
        return Verdict("diagnose")
    if is_memory(error):
        return Verdict("cut finer")
    raise error


def is_memory(error: BaseException | None) -> bool:
    """Say whether memory ran out, also where another error was raised from that."""
    while error is not None:
        if isinstance(error, torch.OutOfMemoryError | MemoryError):
            return True
        if isinstance(error, RuntimeError) and any(sign in str(error) for sign in MEMORY_ERRORS):
            return True
        error = error.__cause__
    return False


def halved(micro: Sequence[Sequence[int]], lengths: Sequence[int], step: int) -> int:
    """Return half the padded tokens of the step's largest micro-batch; logged.

    Raises RecipeError where every micro-batch is a single sample already.
    """
    if max(len(rows) for rows in micro) == 1:
        what = f"one sample at a time does not fit at step {step}; take a smaller model, fewer image tokens or nf4"
        raise RecipeError("memory", [Problem("train.max_tokens", what)])
    largest = max(len(rows) * max(lengths[row] for row in rows) for rows in micro if len(rows) > 1)
    log.warning("step %d: out of memory; micro-batches of at most %d tokens from here on", step, largest // 2)
    return largest // 2


def release() -> None:
    """Give back the memory that an interrupted step held."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


class Stop:
    """The signal that was received so far, if any. A second one ends the process at once."""

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None

    def hear(self, number: int, frame: FrameType | None) -> None:
        """Note the first signal, and give both their default action back: the kernel answers the next one itself.

        A handler of Python's own would wait for the running operation to end.
        """
        self.signal = signal.Signals(number)
        for heard in STOP_SIGNALS:
            signal.signal(heard, signal.SIG_DFL)
        print(f"{self.signal.name}: finishing the step, then a checkpoint; again to stop at once", file=sys.stderr)

    def leave(self, where: str) -> NoReturn:
        """End as the signal asked: exit 143 after SIGTERM, KeyboardInterrupt (130 on the command line) after SIGINT."""
        text = f"{where} is complete; continue with --resume"
        if self.signal == signal.SIGINT:
            raise KeyboardInterrupt(f"interrupted; {text}")
        print(f"terminated; {text}", file=sys.stderr)
        raise SystemExit(128 + signal.SIGTERM)


@contextmanager
def listening() -> Iterator[Stop]:
    """Listen for SIGTERM and SIGINT while the block runs; only the main thread can."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {heard: signal.signal(heard, stop.hear) for heard in STOP_SIGNALS}
    try:
        yield stop
    finally:
        for heard, handler in before.items():
            signal.signal(heard, handler)


def check_disk(folder: Path, model: Model, objective: Objective, checkpoints: int) -> None:
    """Compare the bytes of `checkpoints` checkpoints with the free space, then write one, read it back, remove it.

    AdamW keeps two moments per parameter; they are zeros here, of the right size. Raises DiskError with the figures.
    """
    moments = {
        f"{index}.{name}": torch.zeros_like(parameter, device="cpu")
        for index, (_, parameter) in enumerate(model.trained_parameters())
        for name in ("exp_avg", "exp_avg_sq")
    }
    files = checkpoint_files({"model": model.trained_state(), "optimiser": moments, "losses": objective.state()}, {})
    size = sum(map(len, files.values()))
    need, free = size * (checkpoints + 1) + SMALL, free_bytes(folder)  # one more while it is written
    if need > free:
        figures = f"{checkpoints} checkpoints and a report need {size_text(need)} and {size_text(free)} is free"
        raise DiskError(f"{folder}: {figures}; free space or choose another folder with --out")
    trial = folder / "trial"
    with disk_errors(folder):
        shutil.rmtree(trial, ignore_errors=True)
        try:
            write_folder(trial, files)
        finally:
            shutil.rmtree(trial, ignore_errors=True)
