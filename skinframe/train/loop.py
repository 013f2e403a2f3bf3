"""The loop: an iterator of checkpoints, one an epoch, and a log line a step."""

from __future__ import annotations

import io
import json
import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator

from skinframe.data.batches import epoch_order, epoch_steps, view_of
from skinframe.data.feed import Feed
from skinframe.durable import disk_errors
from skinframe.errors import NonFiniteError, Problem, RecipeError
from skinframe.model.assemble import Assembled
from skinframe.model.objective import Objective
from skinframe.planning import Plan
from skinframe.seeding import derive
from skinframe.train.checkpoint import Checkpoint, load_optimiser, optimiser_tensors, save_checkpoint
from skinframe.train.optimiser import make_optimiser, set_rate
from skinframe.train.step import StepRecord, run_step

Watch = Callable[[int, int, dict[str, Any]], None]


@dataclass
class Trainer:
    """What an epoch needs, built once."""

    plan: Plan
    model: Assembled
    objective: Objective
    feed: Feed
    rows: Sequence[int]
    folder: Path
    accelerator: Accelerator
    watch: Watch

    def epochs(self, start: Checkpoint | None) -> Iterator[Checkpoint]:
        """Yield a checkpoint after each epoch, from the one after `start`."""
        train, seed = self.plan.recipe.train, self.plan.recipe.seed
        optimiser = make_optimiser(self.model, train)
        step = 0
        if start is not None:
            self.model.load_trained_state(start.tensors("model"))
            load_optimiser(optimiser, start.tensors("optimiser"))
            self.objective.load_state(start.tensors("losses"))
            step = int(start.state["step"])
        log_path = self.folder / "log.jsonl"
        _truncate(log_path, int(start.state["log_bytes"]) if start is not None else 0)
        for epoch in range(start.epoch + 1 if start is not None else 0, train.epochs):
            step = self._epoch(epoch, step, optimiser, log_path)
            yield self._save(epoch, step, optimiser, log_path, seed)

    def _epoch(self, epoch: int, step: int, optimiser: torch.optim.Optimizer, log_path: Path) -> int:
        train, seed = self.plan.recipe.train, self.plan.recipe.seed
        lengths = [self.feed.length(row) for row in range(len(self.feed.ids))]
        order = epoch_order(self.rows, seed, epoch)
        steps = epoch_steps(order, lengths, train.batch_size, train.max_tokens)
        total = len(steps) * train.epochs
        self.model.train()
        with disk_errors(log_path):
            stream = log_path.open("ab", buffering=0)  # closing a buffer would write again what did not fit
        with stream:
            for position, micro in enumerate(steps):
                factor = set_rate(optimiser, step, total, train.warmup)
                record = self._step(epoch, epoch + position / len(steps), micro, step, optimiser)
                line = _line(epoch, step, factor, record, micro, self.objective.floors())
                _append(stream, log_path, json.dumps(line) + "\n")
                step += 1
                self.watch(step, total, line)
            with disk_errors(log_path):  # the checkpoint to come states this length
                os.fsync(stream.fileno())
        return step

    def _step(
        self, epoch: int, moment: float, micro: list[list[int]], step: int, optimiser: torch.optim.Optimizer
    ) -> StepRecord:
        train, seed = self.plan.recipe.train, self.plan.recipe.seed
        ids = [[self.feed.ids[row] for row in rows] for rows in micro]
        batches = [
            self.feed.batch(rows, [view_of(seed, epoch, name, train.views) for name in names], targets=True)
            for rows, names in zip(micro, ids, strict=True)
        ]
        optimiser.zero_grad(set_to_none=True)
        record = run_step(
            self.accelerator,
            self.model,
            self.objective,
            batches,
            ids,
            moment,
            [derive(seed, "dropout", step, index) for index in range(len(micro))],
            norms=step % train.gradient_norms_every == 0,
            gather=train.gather == "step",
        )
        parameters = [parameter for _, parameter in self.model.trained_parameters()]
        limit = train.clip if train.clip > 0 else math.inf
        norm = self.accelerator.clip_grad_norm_(parameters, limit)
        record.norm = float(norm) if norm is not None else 0.0
        if not math.isfinite(record.norm):
            shown = ", ".join(name for names in ids for name in names[:8])
            raise NonFiniteError(f"gradient: norm is {record.norm} at step {step} on samples {shown}; lower train.lr")
        optimiser.step()
        return record

    def _save(self, epoch: int, step: int, optimiser: torch.optim.Optimizer, log_path: Path, seed: int) -> Checkpoint:
        tensors = {
            "model": self.model.trained_state(),
            "optimiser": optimiser_tensors(optimiser),
            "losses": self.objective.state(),
        }
        state = {
            "step": step,
            "log_bytes": log_path.stat().st_size,
            "fingerprint": self.plan.fingerprint,
            "seed": seed,
            "torch": torch.__version__,
            "threads": torch.get_num_threads(),
        }
        return save_checkpoint(self.folder / "checkpoints", epoch, tensors, state)


def _append(stream: io.FileIO, path: Path, text: str) -> None:
    data = text.encode()
    with disk_errors(path):
        while data:
            data = data[stream.write(data) :]


def _truncate(path: Path, size: int) -> None:
    """Forget log lines of the epoch that was cut off: it is trained again, bit for bit.

    Raises RecipeError where the log holds less than the checkpoint says.
    """
    found = path.stat().st_size if path.is_file() else 0
    if found < size:
        what = f"has {found} bytes where the checkpoint says {size}; restore it, or move the run folder away"
        raise RecipeError(str(path.parent), [Problem(path.name, what)])
    with disk_errors(path), path.open("ab") as stream:
        stream.truncate(size)


def _line(
    epoch: int, step: int, factor: float, record: StepRecord, micro: list[list[int]], floors: dict[str, float]
) -> dict[str, Any]:
    parts: dict[str, dict[str, float]] = {}
    for name, weight in record.weights.items():
        parts[name] = {"weight": weight}
        if name in record.parts:
            parts[name]["value"] = record.parts[name]
        if name in record.part_norms:
            parts[name]["grad_norm"] = record.part_norms[name]
            parts[name]["grad_share"] = record.part_shares[name]
        if name in floors and name in record.parts:
            parts[name]["floor"] = floors[name]
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
