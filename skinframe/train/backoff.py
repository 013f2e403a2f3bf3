"""Too little memory for a micro-batch: cut the step finer, with the same samples and the same loss."""

from __future__ import annotations

import gc
import logging
from collections.abc import Sequence

import torch

from skinframe.errors import Problem, RecipeError

log = logging.getLogger("skinframe")
SIGNS = ("out of memory", "not enough memory", "can't allocate memory", "CUBLAS_STATUS_ALLOC_FAILED")


def is_memory(error: BaseException | None) -> bool:
    """Say whether memory ran out, also where another error was raised from that."""
    while error is not None:
        if isinstance(error, torch.OutOfMemoryError | MemoryError):
            return True
        if isinstance(error, RuntimeError) and any(sign in str(error) for sign in SIGNS):
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
    """Give back what a broken-off step held."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
