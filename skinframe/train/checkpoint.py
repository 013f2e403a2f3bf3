"""Checkpoints: a folder per epoch (or part of one) of safetensors and JSON, verified by its manifest."""

from __future__ import annotations

import json
import logging
import math
import re
import shutil
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from skinframe.atomic_write import (
    damage_in,
    disk_errors,
    fsync_folder,
    listed_in,
    remove_leftovers,
    unlisted_in,
    write_folder,
)
from skinframe.errors import Problem, RecipeError
from skinframe.printable_text import printable
from skinframe.untrusted_files import UnreadableError, parse_object, read_bytes, read_object

log = logging.getLogger("skinframe")
OPTIMISER = "optimiser.safetensors"
MAX_TENSORS = 2**40  # bytes: a checkpoint of a large model is bounded by its hash, not by its size
SLIM = "-slim"  # ends the name of a checkpoint that is about to take the place of one with an optimiser's state
NAMED = re.compile(r"epoch-(\d{3,})(?:-at-(\d{5,}))?")


@dataclass(frozen=True)
class Checkpoint:
    """The folder of a checkpoint and its state: epoch, steps of an unfinished epoch, length of the log in bytes."""

    folder: Path
    state: Mapping[str, Any]
    files: frozenset[str] = frozenset()  # those of its manifest; nothing else is read

    @property
    def epoch(self) -> int:
        return int(self.state["epoch"])

    @property
    def position(self) -> int | None:
        """The steps done of this epoch; None where it is finished."""
        position = self.state["position"]
        return None if position is None else int(position)

    @property
    def finished(self) -> int:
        """How many epochs are finished."""
        return self.epoch + (self.position is None)

    @property
    def stage(self) -> int:
        """The index of the stage of training that wrote it."""
        return int(self.state.get("stage", 0))

    def tensors(self, name: str) -> dict[str, Tensor]:
        """Return a group of tensors. Raises RecipeError where the file is none of safetensors'."""
        path = self.folder / f"{name}.safetensors"
        try:
            if path.name not in self.files:
                raise UnreadableError(path, "is not listed in the manifest")
            return safetensors.torch.load(read_bytes(path, MAX_TENSORS))
        except (UnreadableError, SafetensorError, ValueError, KeyError, RuntimeError) as error:
            reason = error.reason if isinstance(error, UnreadableError) else type(error).__name__
            what = f"cannot be read ({reason}); move this checkpoint away to use the one before"
            raise RecipeError(str(self.folder), [Problem(path.name, what)]) from error


def save_checkpoint(
    folder: Path,
    epoch: int,
    tensors: Mapping[str, Mapping[str, Tensor]],
    state: Mapping[str, Any],
    position: int | None = None,
) -> Checkpoint:
    """Write `folder/epoch-NNN`, or `epoch-NNN-at-SSSSS` after that many of its steps; durable, hashed, read back.

    Earlier checkpoints of part of an epoch are removed once the new one has been read back. Raises DiskError; earlier
    checkpoints are then untouched.
    """
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    remove_leftovers(folder)
    target = folder / name_of(epoch, position)
    whole_state = {**state, "epoch": epoch, "position": position}
    if target.exists():  # it did not verify, or training would have gone on behind it
        with disk_errors(target):
            shutil.rmtree(target)
    files = checkpoint_files(tensors, whole_state)
    write_folder(target, files)
    prune(target)
    return Checkpoint(target, whole_state, frozenset(files))


def prune(newest: Path) -> None:
    """Remove the parts of epochs that a newer, verified checkpoint has overtaken."""
    for older in _named(newest.parent):
        if _order(older) < _order(newest) and _order(older)[1] < math.inf:
            _remove(older)


def keep_only(folder: Path, resumable: Collection[int], weights: Collection[int]) -> None:
    """Remove the checkpoints of finished epochs that are in neither list; in `weights` alone, the optimiser's state.

    Those after the last resumable one are left alone: they did not verify, and are trained again. A kill at any moment
    leaves each epoch whole, with or without that state, or gone.
    """
    for path in _named(folder):
        epoch, position = _order(path)
        if position < math.inf or epoch in resumable or epoch > max(resumable, default=-1):
            continue
        if epoch not in weights:
            _remove(path)
        elif (path / OPTIMISER).is_file() and damage_in(path) is None:
            files = {name: read_bytes(path / name, MAX_TENSORS) for name in listed_in(path) - {OPTIMISER}}
            state = {**parse_object(files["state.json"], path / "state.json"), "resumable": False}
            files["state.json"] = json.dumps(state, indent=2, sort_keys=True).encode()
            write_folder(path.with_name(path.name + SLIM), files)
            _remove(path)
            _settle(folder)


def _settle(folder: Path) -> None:
    """Give checkpoints without an optimiser's state their name; a kill may have come before that."""
    for slim in folder.glob(f"epoch-*{SLIM}") if folder.is_dir() else ():
        target = slim.with_name(slim.name.removesuffix(SLIM))
        with disk_errors(target):
            if target.exists():
                _remove(slim)
            else:
                slim.rename(target)
            fsync_folder(folder)


def _remove(path: Path) -> None:
    """Remove a checkpoint, renamed first: one that a kill left half removed must not look like a damaged one."""
    aside = path.with_name(f"{path.name}.tmp-{uuid.uuid4().hex[:8]}")
    with disk_errors(path):
        path.rename(aside)
    shutil.rmtree(aside, ignore_errors=True)


def name_of(epoch: int, position: int | None = None) -> str:
    return f"epoch-{epoch:03d}" if position is None else f"epoch-{epoch:03d}-at-{position:05d}"


def checkpoint_files(tensors: Mapping[str, Mapping[str, Tensor]], state: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the files of a checkpoint by name."""
    files = {f"{name}.safetensors": safetensors.torch.save(_storable(group)) for name, group in tensors.items()}
    return files | {"state.json": json.dumps(state, indent=2, sort_keys=True).encode()}


def _storable(group: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach().cpu().contiguous() for name, value in sorted(group.items())}


def load_checkpoint(folder: Path, fingerprints: Collection[str] = ()) -> Checkpoint | None:
    """Return the checkpoint in `folder`, or None, logged, where its files do not match its manifest.

    With `fingerprints`, those of the plans that the run was made from, also where another run or epoch wrote it.
    """
    flaw = damage_in(folder) or foreign_in(folder, fingerprints)
    if flaw is not None:
        log.warning("checkpoint %s is not whole (%s); it is not used", folder, flaw)
        return None
    extra = unlisted_in(folder)
    if extra:
        log.warning(
            "checkpoint %s has files that its manifest does not list (%s); they are ignored", folder, _few(extra)
        )
    return Checkpoint(folder, read_object(folder / "state.json"), listed_in(folder))


def foreign_in(folder: Path, fingerprints: Collection[str] = ()) -> str | None:
    """Return why a whole checkpoint is not the one that belongs into its folder; None where it is."""
    try:
        if "state.json" not in listed_in(folder):
            raise UnreadableError(folder / "state.json", "is not listed in the manifest")
        state = read_object(folder / "state.json")
    except UnreadableError as error:
        return f"{Path(error.where).name}: {error.reason}"
    if not _is_state(state):
        return "its state.json says nothing that a resume can use"
    named = NAMED.fullmatch(folder.name)
    if named is not None and folder.name != name_of(state["epoch"], state["position"]):
        return f"its state.json says that it is {name_of(state['epoch'], state['position'])}"
    written = state.get("fingerprint")  # the first runs did not write one
    if fingerprints and written is not None and written not in fingerprints:
        return f"it was written by a run with the fingerprint {printable(str(written))[:8]}, not by this one"
    return None


def _few(names: Sequence[str]) -> str:
    return printable(", ".join(names[:3])) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _is_state(state: Any) -> bool:
    """Say whether the hashed files were written by a run at all."""
    if not isinstance(state, dict) or not isinstance(state.get("ties"), dict):
        return False
    counts = [state.get(name) for name in ("epoch", "step", "tokens", "log_bytes")]
    counts.append(0 if "position" in state and state["position"] is None else state.get("position"))
    return all(type(count) is int and 0 <= count < 2**62 for count in counts)


def newest_checkpoint(folder: Path, fingerprints: Collection[str] = ()) -> Checkpoint | None:
    """Return the newest verified checkpoint with an optimiser's state, None where no checkpoint was ever written.

    Raises RecipeError where there are some and none verifies: training must not silently start from zero.
    """
    _settle(folder)
    candidates = sorted(_named(folder), key=_order, reverse=True)
    for candidate in candidates:
        checkpoint = load_checkpoint(candidate, fingerprints)
        if checkpoint is not None and checkpoint.state.get("resumable", True):
            return checkpoint
    if candidates:
        what = "no checkpoint matches its hashes; move the run folder away to start afresh"
        raise RecipeError(str(folder), [Problem("--resume", what)])
    return None


def _named(folder: Path) -> list[Path]:
    return [path for path in folder.glob("epoch-*") if NAMED.fullmatch(path.name)] if folder.is_dir() else []


def _order(path: Path) -> tuple[int, float]:
    match = NAMED.fullmatch(path.name)
    assert match is not None
    return int(match[1]), math.inf if match[2] is None else int(match[2])


def plain_history(history: Sequence[Mapping[str, float]]) -> list[dict[str, float | None]]:
    """Return validation figures as JSON values: it has no NaN, so an undefined figure is null."""
    return [{name: value if math.isfinite(value) else None for name, value in entry.items()} for entry in history]


def read_history(entries: Sequence[Mapping[str, float | None]]) -> list[dict[str, float]]:
    """Return what `plain_history` was given."""
    return [{name: math.nan if value is None else value for name, value in entry.items()} for entry in entries]


def optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return AdamW's moments and steps, by group and position."""
    state = optimiser.state_dict()["state"]
    return {f"{index}.{key}": value for index, entry in state.items() for key, value in entry.items()}


def load_optimiser(optimiser: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Take back `optimiser_tensors`; the groups' options come from the recipe. Raises ValueError on foreign names."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        index, _, key = name.partition(".")
        state.setdefault(int(index), {})[key] = value
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
