"""Where a run computes, and with which kernels."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from skinframe.errors import Problem, RecipeError

WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"  # cuBLAS reads it when it starts


def best_device() -> str:
    """Return "cuda" where a GPU can be used, else "cpu"."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


@contextmanager
def deterministic(wanted: bool, source: str) -> Iterator[None]:
    """Let torch take deterministic kernels alone where that is wanted, and as before afterwards.

    Raises RecipeError naming the operation that has none; torch would only warn, or say nothing.
    """
    if not wanted:
        yield
        return
    import torch

    os.environ.setdefault(WORKSPACE, ":4096:8")
    before, warned = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        yield
    except RuntimeError as error:
        said = " ".join(str(error).split())
        if "deterministic" not in said:
            raise
        operation = said.split(" ")[0]
        what = f"{operation} has no deterministic kernel here; leave out the part that calls it, or set this to false"
        raise RecipeError(source, [Problem("train.deterministic", what)]) from error
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warned)
