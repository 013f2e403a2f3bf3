"""A checkpoint: one folder an epoch, safetensors and JSON, trusted only when its manifest verifies."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from skinframe.durable import disk_errors, flaw_of, sweep, write_folder
from skinframe.errors import Problem, RecipeError

log = logging.getLogger("skinframe")


@dataclass(frozen=True)
class Checkpoint:
    """Where one stands and what its state says: the epoch that it ends, the step, the log's length in bytes."""

    folder: Path
    state: Mapping[str, Any]

    @property
    def epoch(self) -> int:
        return int(self.state["epoch"])

    def tensors(self, name: str) -> dict[str, Tensor]:
        return safetensors.torch.load((self.folder / f"{name}.safetensors").read_bytes())


def save_checkpoint(
    folder: Path, epoch: int, tensors: Mapping[str, Mapping[str, Tensor]], state: Mapping[str, Any]
) -> Checkpoint:
    """Write `folder/epoch-NNN`, durable and hashed. Raises DiskError; earlier checkpoints are untouched."""
    folder.mkdir(parents=True, exist_ok=True)
    sweep(folder)
    target = folder / f"epoch-{epoch:03d}"
    whole_state = {**state, "epoch": epoch}
    files = {f"{name}.safetensors": safetensors.torch.save(_storable(group)) for name, group in tensors.items()}
    files["state.json"] = json.dumps(whole_state, indent=2, sort_keys=True).encode()
    if target.exists():  # it did not verify, or training would have gone on behind it
        with disk_errors(target):
            shutil.rmtree(target)
    write_folder(target, files)
    return Checkpoint(target, whole_state)


def _storable(group: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach().cpu().contiguous() for name, value in sorted(group.items())}


def load_checkpoint(folder: Path) -> Checkpoint | None:
    """Return the checkpoint in `folder`, or None, logged, where its files do not match its manifest."""
    flaw = flaw_of(folder)
    if flaw is not None:
        log.warning("checkpoint %s is not whole (%s); it is not used", folder, flaw)
        return None
    return Checkpoint(folder, json.loads((folder / "state.json").read_text()))


def newest_checkpoint(folder: Path) -> Checkpoint | None:
    """Return the newest verified checkpoint, None where none was ever written.

    Raises RecipeError where there are some and none verifies: training must not silently start from zero.
    """
    named = {path.name.removeprefix("epoch-"): path for path in folder.glob("epoch-*")} if folder.is_dir() else {}
    found = [named[name] for name in sorted(filter(str.isdecimal, named), key=int, reverse=True)]
    for candidate in found:
        checkpoint = load_checkpoint(candidate)
        if checkpoint is not None:
            return checkpoint
    if found:
        what = "no checkpoint matches its hashes; move the run folder away to start afresh"
        raise RecipeError(str(folder), [Problem("--resume", what)])
    return None


def optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return AdamW's moments and steps, by group and position."""
    state = optimiser.state_dict()["state"]
    return {f"{index}.{key}": value for index, entry in state.items() for key, value in entry.items()}


def load_optimiser(optimiser: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Take back `optimiser_tensors`; the groups' options come from the recipe."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        index, _, key = name.partition(".")
        state.setdefault(int(index), {})[key] = value
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
