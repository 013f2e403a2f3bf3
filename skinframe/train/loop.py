"""The loop: an iterator of checkpoints, one an epoch, and a log line a step."""

from __future__ import annotations

import io
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
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
from skinframe.train.backoff import halved, is_memory, release
from skinframe.train.checkpoint import Checkpoint, load_optimiser, optimiser_tensors, prune, save_checkpoint
from skinframe.train.diagnose import Scene, diagnosed
from skinframe.train.logline import append, line_of, truncate
from skinframe.train.optimiser import make_optimiser, set_rate
from skinframe.train.preflight import check_disk
from skinframe.train.seeds import seed_everything
from skinframe.train.step import StepRecord, run_step
from skinframe.train.stopping import Stop, listening

Watch = Callable[[int, int, dict[str, Any]], None]


@dataclass
class Trainer:
    """What an epoch needs, built once. `ties` is what a resume must find again; it stands in every checkpoint."""

    plan: Plan
    model: Assembled
    objective: Objective
    feed: Feed
    rows: Sequence[int]
    folder: Path
    accelerator: Accelerator
    watch: Watch
    ties: Mapping[str, str] = field(default_factory=dict)
    tokens: int = 0  # padded tokens a micro-batch, less than the recipe's once memory ran out
    last: str | None = None  # the newest checkpoint's name

    def epochs(self, start: Checkpoint | None) -> Iterator[Checkpoint]:
        """Yield a checkpoint after each epoch, from the moment at which `start` was written."""
        train = self.plan.recipe.train
        optimiser = make_optimiser(self.model, train)
        step, self.tokens = 0, train.max_tokens
        if start is not None:
            self._take(start, optimiser)
            prune(start.folder)  # a kill may have come between a checkpoint and this
            step, self.tokens, self.last = int(start.state["step"]), int(start.state["tokens"]), start.folder.name
        begin, position = (0, 0) if start is None else (start.finished, start.position or 0)
        if begin < train.epochs:
            check_disk(self.folder, self.model, self.objective.state(), train.epochs - begin)
        truncate(self.log_path, int(start.state["log_bytes"]) if start is not None else 0)
        for epoch in range(begin, train.epochs):
            with listening() as stop:
                step = self._epoch(epoch, position, step, optimiser, stop)
                checkpoint = self._save(epoch, None, step, optimiser)
                if stop.signal is not None:
                    stop.leave(checkpoint.folder.name)
            position = 0
            yield checkpoint

    def _take(self, start: Checkpoint, optimiser: torch.optim.Optimizer) -> None:
        """Take back what `start` holds. Raises RecipeError where it is not of this model."""
        try:
            self.model.load_trained_state(start.tensors("model"))
            load_optimiser(optimiser, start.tensors("optimiser"))
            self.objective.load_state(start.tensors("losses"))
            self.objective.balancer.load_state(start.tensors("balancer"))
        except (RuntimeError, ValueError, KeyError, TypeError) as error:
            what = f"does not fit this model ({' '.join(str(error).split())[:160]}); move it away to use the one before"
            raise RecipeError(str(self.folder), [Problem(start.folder.name, what)]) from error

    @property
    def log_path(self) -> Path:
        return self.folder / "log.jsonl"

    def _epoch(self, epoch: int, done: int, step: int, optimiser: torch.optim.Optimizer, stop: Stop) -> int:
        """Take the steps of an epoch after the first `done`; return the number of the step after it."""
        train = self.plan.recipe.train
        lengths = [self.feed.length(row) for row in range(len(self.feed.ids))]
        order = epoch_order(self.rows, self.plan.recipe.seed, epoch)
        steps = epoch_steps(order, lengths, train.batch_size, self.tokens)
        total = len(steps) * train.epochs
        self.model.train()
        with disk_errors(self.log_path):
            stream = self.log_path.open("ab", buffering=0)  # closing a buffer would write again what did not fit
        with stream:
            for position in range(done, len(steps)):
                factor = set_rate(optimiser, step, total, train.warmup)
                moment = epoch + position / len(steps)
                micro = steps[position]
                while (record := self._step(epoch, moment, micro, step, optimiser)) is None:
                    release()
                    self.tokens = halved(micro, lengths, step)
                    steps = epoch_steps(order, lengths, train.batch_size, self.tokens)
                    micro = steps[position]
                floors = self.objective.floors() if step % train.gradient_norms_every == 0 else {}  # simulations
                line = line_of(epoch, step, factor, record, micro, floors, self.objective.notes())
                append(stream, self.log_path, json.dumps(line) + "\n")
                step += 1
                self.watch(step, total, line)
                if position + 1 < len(steps) and (stop.signal is not None or _due(position + 1, train.save_every)):
                    self._sync(stream)
                    checkpoint = self._save(epoch, position + 1, step, optimiser)
                    if stop.signal is not None:
                        stop.leave(checkpoint.folder.name)
            self._sync(stream)
        return step

    def _sync(self, stream: io.FileIO) -> None:
        with disk_errors(self.log_path):  # the checkpoint to come states this length
            os.fsync(stream.fileno())

    def _step(
        self, epoch: int, moment: float, micro: list[list[int]], step: int, optimiser: torch.optim.Optimizer
    ) -> StepRecord | None:
        """Take one step; None, and nothing changed, where memory ran out before the optimiser's turn."""
        train, seed = self.plan.recipe.train, self.plan.recipe.seed
        ids = [[self.feed.ids[row] for row in rows] for rows in micro]
        views = [[view_of(seed, epoch, name, train.views) for name in names] for names in ids]
        seeds = [derive(seed, "dropout", step, index) for index in range(len(micro))]
        before = {name: value.clone() for name, value in self.objective.state().items()}
        seed_everything(derive(seed, "step", step))
        optimiser.zero_grad(set_to_none=True)
        try:
            want = self.plan.graph.wanted
            batches = [self.feed.batch(rows, shown, want, epoch) for rows, shown in zip(micro, views, strict=True)]
            record = run_step(
                self.accelerator,
                self.model,
                self.objective,
                batches,
                ids,
                moment,
                seeds,
                norms=step % train.gradient_norms_every == 0 or self.objective.balancer.reads_norms,
                gather=train.gather == "step",
            )
            record.norm = self._clip(ids, step)
        except NonFiniteError as error:
            scene = Scene(step=step, epoch=epoch, moment=moment, micro=micro, views=views, seeds=seeds)
            said = diagnosed(self.folder, scene, str(error), self.model, self.objective, self.feed, self.last)
            raise NonFiniteError(said) from error
        except Exception as error:
            if not is_memory(error):
                raise
            self.objective.load_state(before)
            optimiser.zero_grad(set_to_none=True)
            return None
        optimiser.step()
        self.objective.learn(record.parts, record.shared_norms)
        return record

    def _clip(self, ids: list[list[str]], step: int) -> float:
        train = self.plan.recipe.train
        parameters = [parameter for _, parameter in self.model.trained_parameters()]
        found = self.accelerator.clip_grad_norm_(parameters, train.clip if train.clip > 0 else math.inf)
        norm = float(found) if found is not None else 0.0
        if not math.isfinite(norm):
            shown = ", ".join(name for names in ids for name in names[:8])
            raise NonFiniteError(f"gradient: norm is {norm} at step {step} on samples {shown}; lower train.lr")
        return norm

    def _save(self, epoch: int, position: int | None, step: int, optimiser: torch.optim.Optimizer) -> Checkpoint:
        tensors = {
            "model": self.model.trained_state(),
            "optimiser": optimiser_tensors(optimiser),
            "losses": self.objective.state(),
            "balancer": self.objective.balancer.state(),
        }
        state = {
            "step": step,
            "tokens": self.tokens,
            "log_bytes": self.log_path.stat().st_size,
            "fingerprint": self.plan.fingerprint,
            "seed": self.plan.recipe.seed,
            "ties": dict(self.ties),
        }
        checkpoint = save_checkpoint(self.folder / "checkpoints", epoch, tensors, state, position)
        self.last = checkpoint.folder.name
        return checkpoint


def _due(position: int, every: int) -> bool:
    return every > 0 and position % every == 0
