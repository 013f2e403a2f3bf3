"""The training loop: an iterator of checkpoints, one per epoch, and one log line per step."""

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
from torch import nn

from skinframe.atomic_write import disk_errors
from skinframe.data.batch_order import epoch_order, epoch_steps, view_of
from skinframe.data.feed import Feed
from skinframe.errors import NonFiniteError, Problem, RecipeError
from skinframe.model.module import Model
from skinframe.model.objective import Objective
from skinframe.planning import Plan
from skinframe.recipe.recipe_schema import StagePlan
from skinframe.seeding import derive
from skinframe.train.checkpoint import (
    Checkpoint,
    load_optimiser,
    optimiser_tensors,
    plain_history,
    prune,
    save_checkpoint,
)
from skinframe.train.nonfinite_diagnosis import StepInputs, diagnosed
from skinframe.train.optimiser import make_optimiser, set_rate, train_only
from skinframe.train.step_guards import Stop, Verdict, check_disk, decide, halved, listening, release
from skinframe.train.training_log import append, line_of, truncate
from skinframe.train.training_step import StepRecord, run_step, seed_everything

Watch = Callable[[int, int, dict[str, Any]], None]


@dataclass(frozen=True)
class _Current:
    """The stage that is being trained: its index, the run's epoch and step with which it began, its options."""

    index: int
    first: int
    step: int
    plan: StagePlan


@dataclass
class Trainer:
    """What an epoch needs, built once. `ties` is what a resume must find again; every checkpoint holds it."""

    plan: Plan
    model: Model
    objective: Objective
    feed: Feed
    rows: Sequence[int]
    folder: Path
    accelerator: Accelerator
    watch: Watch
    ties: Mapping[str, str] = field(default_factory=dict)
    history: Sequence[Mapping[str, float]] = ()  # validation figures so far; every checkpoint holds them
    step: int = 0  # of the whole run
    tokens: int = 0  # padded tokens of a micro-batch, fewer than the recipe's once memory ran out
    last: str | None = None  # the newest checkpoint's name

    def __post_init__(self) -> None:
        self.parameters = self.model.trained_parameters()
        self.stages = self.plan.recipe.stage_plans
        self._start: Checkpoint | None = None
        self._current = _Current(0, 0, 0, self.stages[0])

    def open(self, start: Checkpoint | None) -> None:
        """Take up the run where `start` was written, or begin it; once, before the first epoch."""
        train = self.plan.recipe.train
        self._start, self.step, self.tokens = start, 0, train.max_tokens
        if start is not None:
            prune(start.folder)  # a kill may have come between a checkpoint and this
            self.step, self.tokens = int(start.state["step"]), int(start.state["tokens"])
            self.last = start.folder.name
        left = self.plan.recipe.epochs - (0 if start is None else start.finished)
        if left > 0:
            check_disk(self.folder, self.model, self.objective, train.checkpoints(left))
        truncate(self.log_path, int(start.state["log_bytes"]) if start is not None else 0)

    def epochs(self, stage: int = 0, first: int = 0) -> Iterator[Checkpoint]:
        """Train a stage that begins with the run's epoch `first`, and yield a checkpoint after each of its epochs.

        A checkpoint given to `open` that lies inside the stage is restored, its optimiser included. A stage that starts
        afresh has an optimiser and a schedule of its own and goes on from the weights that the model has.
        """
        plan = self.stages[stage]
        train_only(self.parameters, plan.parts)
        optimiser = make_optimiser(self.model, plan.train)
        begin, position, stage_step = first, 0, self.step
        start, self._start = self._start, None
        if start is not None and start.stage == stage:
            self.restore(start)
            self._restoring(start, lambda: load_optimiser(optimiser, start.tensors("optimiser")))
            begin, position, stage_step = start.finished, start.position or 0, int(start.state.get("stage_step", 0))
        self._current = _Current(stage, first, stage_step, plan)
        for epoch in range(begin, first + plan.train.epochs):
            with listening() as stop:
                self._epoch(epoch, position, optimiser, stop)
                checkpoint = self._save(epoch, None, optimiser)
                if stop.signal is not None:
                    stop.leave(checkpoint.folder.name)
            position = 0
            yield checkpoint

    def restore(self, checkpoint: Checkpoint) -> None:
        """Restore weights and the state of terms and balancer. Raises RecipeError where they are not of this model."""

        def load() -> None:
            self.model.load_trained_state(checkpoint.tensors("model"))
            self.objective.load_state(checkpoint.tensors("losses"))
            self.objective.balancer.load_state(checkpoint.tensors("balancer"))

        self._restoring(checkpoint, load)

    def _restoring(self, checkpoint: Checkpoint, load: Callable[[], None]) -> None:
        try:
            load()
        except (RuntimeError, ValueError, KeyError, TypeError) as error:
            what = f"does not fit this model ({' '.join(str(error).split())[:160]}); move it away to use the one before"
            raise RecipeError(str(self.folder), [Problem(checkpoint.folder.name, what)]) from error

    @property
    def log_path(self) -> Path:
        return self.folder / "log.jsonl"

    def _epoch(self, epoch: int, done: int, optimiser: torch.optim.Optimizer, stop: Stop) -> None:
        """Take the steps of an epoch after the first `done`."""
        current, train = self._current, self._current.plan.train
        lengths = [self.feed.length(row) for row in range(len(self.feed.ids))]
        order = epoch_order(self.rows, self.plan.recipe.seed, epoch)
        steps = epoch_steps(order, lengths, train.batch_size, self.tokens)
        total = len(steps) * train.epochs
        whole = len(steps) * self.plan.recipe.epochs
        self.model.train()
        with disk_errors(self.log_path):
            stream = self.log_path.open("ab", buffering=0)  # closing a buffer would write again what did not fit
        with stream:
            for position in range(done, len(steps)):
                factor = set_rate(optimiser, self.step - current.step, total, train.warmup)
                moment = epoch - current.first + position / len(steps)
                while True:
                    scene = self._scene(epoch, moment, steps[position])
                    record, verdict = self._attempt(scene, optimiser, stop)
                    if verdict.action == "update":
                        break
                    release()
                    self.tokens = halved(scene.micro, lengths, self.step)
                    steps = epoch_steps(order, lengths, train.batch_size, self.tokens)
                optimiser.step()
                self.objective.commit(record.rows, record.parts, record.shared_norms)
                floors = self.objective.floors() if _due(self.step, train.gradient_norms_every) else {}  # simulations
                line = line_of(epoch, self.step, factor, record, scene.micro, floors, self.objective.notes())
                line |= {"stage": current.index} if len(self.stages) > 1 else {}
                append(stream, self.log_path, json.dumps(line) + "\n")
                self.step += 1
                self.watch(self.step, whole, line)
                if position + 1 < len(steps) and (verdict.stop or _due(position + 1, train.save_every)):
                    self._sync(stream)
                    checkpoint = self._save(epoch, position + 1, optimiser)
                    if verdict.stop:
                        stop.leave(checkpoint.folder.name)
            self._sync(stream)

    def _sync(self, stream: io.FileIO) -> None:
        with disk_errors(self.log_path):  # the checkpoint to come states this length
            os.fsync(stream.fileno())

    def _scene(self, epoch: int, moment: float, micro: list[list[int]]) -> StepInputs:
        """Return the rows, views and seeds of a step: a function of seed, epoch and step alone."""
        seed, count = self.plan.recipe.seed, self.plan.recipe.train.views
        views = [[view_of(seed, epoch, self.feed.ids[row], count) for row in rows] for rows in micro]
        seeds = [derive(seed, "dropout", self.step, index) for index in range(len(micro))]
        return StepInputs(step=self.step, epoch=epoch, moment=moment, micro=micro, views=views, seeds=seeds)

    def _attempt(self, scene: StepInputs, optimiser: torch.optim.Optimizer, stop: Stop) -> tuple[StepRecord, Verdict]:
        """Run a step up to its clipped gradients and decide about it. No weight and no state changes in here.

        Raises NonFiniteError with the diagnosis where the step was not finite.
        """
        record, error = StepRecord({}), None
        seed_everything(derive(self.plan.recipe.seed, "step", scene.step))
        optimiser.zero_grad(set_to_none=True)
        try:
            record = self._gradients(scene)
        except Exception as raised:
            error = raised
        verdict = decide(error, stop)
        if verdict.action == "diagnose":
            text = diagnosed(self.folder, scene, str(error), self.model, self.objective, self.feed, self.last)
            raise NonFiniteError(text) from error
        if verdict.action != "update":
            optimiser.zero_grad(set_to_none=True)
        return record, verdict

    def _gradients(self, scene: StepInputs) -> StepRecord:
        """Run the forward and backward passes of a step and clip. Raises NonFiniteError naming a term or the step."""
        train = self._current.plan.train
        ids = [[self.feed.ids[row] for row in rows] for rows in scene.micro]
        want, pairs = self.plan.graph.wanted, zip(scene.micro, scene.views, strict=True)
        record = run_step(
            self.accelerator,
            self.model,
            self.objective,
            [self.feed.batch(rows, views, want, scene.epoch) for rows, views in pairs],
            ids,
            scene.moment,
            scene.seeds,
            norms=_due(scene.step, train.gradient_norms_every) or self.objective.balancer.reads_norms,
            gather=train.gather == "step",
        )
        parameters = [parameter for _, parameter in self.model.trained_parameters()]
        record.norm = float(nn.utils.clip_grad_norm_(parameters, train.clip if train.clip > 0 else math.inf))
        if not math.isfinite(record.norm):
            shown = ", ".join(name for names in ids for name in names[:8])
            raise NonFiniteError(
                f"gradient: norm is {record.norm} at step {scene.step} on samples {shown}; lower train.lr"
            )
        return record

    def _save(self, epoch: int, position: int | None, optimiser: torch.optim.Optimizer) -> Checkpoint:
        tensors = {
            "model": self.model.trained_state(),
            "optimiser": optimiser_tensors(optimiser),
            "losses": self.objective.state(),
            "balancer": self.objective.balancer.state(),
        }
        state = {
            "stage": self._current.index,
            "stage_step": self._current.step,
            "step": self.step,
            "tokens": self.tokens,
            "log_bytes": self.log_path.stat().st_size,
            "fingerprint": self.plan.fingerprint,
            "seed": self.plan.recipe.seed,
            "ties": dict(self.ties),
            "validation": plain_history(self.history),
        }
        checkpoint = save_checkpoint(self.folder / "checkpoints", epoch, tensors, state, position)
        self.last = checkpoint.folder.name
        return checkpoint


def _due(count: int, every: int) -> bool:
    """Say whether something done every `every` steps is due at `count`; `every` 0 switches it off."""
    return every > 0 and count % every == 0
