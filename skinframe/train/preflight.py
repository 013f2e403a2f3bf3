"""Before step 1: is there room for every checkpoint to come, and does a real one land on this disk."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from skinframe.durable import disk_errors, free_bytes, write_folder
from skinframe.errors import DiskError
from skinframe.model.assemble import Assembled
from skinframe.train.checkpoint import checkpoint_files

SMALL = 2**26  # bytes for log, predictions, rationales and report


def check_disk(folder: Path, model: Assembled, losses: Mapping[str, Tensor], epochs: int) -> None:
    """Compare the bytes that `epochs` checkpoints will take with what is free, then write one, read it, remove it.

    AdamW keeps two moments a parameter; they are zeros here and have their size. Raises DiskError with figures.
    """
    moments = {
        f"{index}.{name}": torch.zeros_like(parameter, device="cpu")
        for index, (_, parameter) in enumerate(model.trained_parameters())
        for name in ("exp_avg", "exp_avg_sq")
    }
    files = checkpoint_files({"model": model.trained_state(), "optimiser": moments, "losses": losses}, {})
    size = sum(map(len, files.values()))
    need, free = (
        size * (epochs + 1) + SMALL,
        free_bytes(folder),
    )  # one more while it is written
    if need > free:
        figures = f"{epochs} checkpoints and a report need {need / 1e9:.2f} GB and {free / 1e9:.2f} GB is free"
        raise DiskError(f"{folder}: {figures}; free space or choose another folder with --out")
    trial = folder / "trial"
    with disk_errors(folder):
        shutil.rmtree(trial, ignore_errors=True)
        try:
            write_folder(trial, files)
        finally:
            shutil.rmtree(trial, ignore_errors=True)
