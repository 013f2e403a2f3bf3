"""The whole path on one page: recipe, plan, data, features, model, training, evaluation, report."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Literal

from skinframe.device import best_device, deterministic
from skinframe.durable import write_json
from skinframe.errors import Problem, RecipeError
from skinframe.planning import Plan
from skinframe.planning.load_plan import refuse_missing, refuse_old_libraries, refuse_processes
from skinframe.planning.resolve import select_mode
from skinframe.preparing.image_cache import Shelf
from skinframe.preparing.prepare import prepare
from skinframe.preparing.prepared_data import Prepared
from skinframe.preparing.remote_features import ShardEngine
from skinframe.preparing.run_feed import make_feed
from skinframe.progress import Display, parts_note
from skinframe.recipe.schema import Select
from skinframe.reporting.run_result import RunResult
from skinframe.running.resume_changes import differing, note, refuse
from skinframe.running.run_folder import run_folder
from skinframe.running.verify_files import write_files


def run(
    plan: Plan,
    *,
    out: Path,
    cache: Path,
    resume: bool = False,
    allow: Collection[str] = (),
    display: Display | None = None,
    shelf: Shelf | None = None,
    spread: ShardEngine | None = None,
) -> RunResult:
    """Run a plan to its report and return the result; `shelf` keeps the images for the next run of this process.

    `spread` extracts features in other processes. Raises the errors of `skinframe.errors`.
    """
    display = display or Display()
    refuse_processes(os.environ)
    refuse_missing(plan)
    refuse_old_libraries(plan.source)
    device = _device(plan)
    started = time.monotonic()
    from skinframe.running.environment import environment

    train = plan.recipe.train
    with run_folder(plan, out, resume, allow) as folder, deterministic(train.deterministic, plan.source):
        display.say(f"run folder {folder} · scale {plan.recipe.scale} · device {device}")
        prepared = prepare(plan, folder, cache, device, display, shelf=shelf, spread=spread)
        write_json(folder / "environment.json", environment(plan, device))
        chosen, model, feed = _train(plan, prepared, folder, display, allow)
        from skinframe.running.run_report import conclude

        report = conclude(prepared, model, feed, folder, chosen, time.monotonic() - started, display)
        write_files(folder)
        display.say(f"report {folder / 'report.html'}")
        return RunResult(folder, report)


def _device(plan: Plan) -> str:
    import torch

    torch.set_num_threads(plan.recipe.train.threads)
    return best_device()


def _train(
    plan: Plan, prepared: Prepared, folder: Path, display: Display, allow: Collection[str]
) -> tuple[int, Any, Any]:
    """Train epoch by epoch, validate each, stop early where the recipe says so, load the chosen checkpoint."""
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState

    from skinframe.evaluation.checkpoint_selection import best
    from skinframe.model.assemble import assemble
    from skinframe.model.objective import Objective
    from skinframe.predicting.validation import validate
    from skinframe.running.environment import ties_of
    from skinframe.train.loop import Trainer
    from skinframe.train.trackers import Tracker

    recipe = plan.recipe
    model = assemble(plan, prepared.device)
    feed = make_feed(prepared, model)
    AcceleratorState._reset_state(True)  # it is global to the process, and a second run may want another precision
    accelerator = Accelerator(mixed_precision="bf16" if recipe.train.precision == "bf16" else "no")
    _say_derived(prepared, folder, display)
    tracker = Tracker(folder if recipe.train.tensorboard else None)
    ties = ties_of(prepared)
    start = _start(folder, ties, allow)
    history = _history(folder, start.finished if start is not None else 0)
    select, mode = recipe.select, select_mode(recipe, plan.parts)
    calls = prepared.tower_calls
    with display.task("training") as task:

        def watch(step: int, total: int, line: dict[str, Any]) -> None:
            task.update(step, total, parts_note(line))
            tracker.log(step, line)

        rows = prepared.split.train
        trainer = Trainer(plan, model, Objective(plan), feed, rows, folder, accelerator, watch, ties)
        if start is not None:
            display.say(f"continuing after {start.folder.name}")
            for epoch in range(len(history), start.finished):  # killed between a checkpoint and its validation
                model.load_trained_state(_whole(folder, epoch).tensors("model"))
                history.append(validate(prepared, model, feed))
                _write_history(folder, history)
        for checkpoint in _until_exhausted(trainer.epochs(start), history, select, mode):
            history.append(validate(prepared, model, feed))
            _write_history(folder, history)
            display.say(f"epoch {checkpoint.epoch + 1}: validation {select.by} {history[-1][select.by]:.4f}")
    tracker.close()
    if prepared.tower_calls != calls:
        raise AssertionError("a frozen tower was called during training; its features are cached")
    chosen = best(history, select.by, mode)
    model.load_trained_state(_whole(folder, chosen).tensors("model"))
    selection = {"epoch": chosen, "by": select.by, "mode": mode, "classes": plan.parts.dataset.classes}
    if plan.metadata_fields is not None:
        selection["metadata_fields"] = [dataclasses.asdict(field) for field in plan.metadata_fields]
    write_json(folder / "selection.json", selection)
    return chosen, model, feed


def _say_derived(prepared: Prepared, folder: Path, display: Display) -> None:
    """Write and say what the loss terms took from the training counts."""
    from skinframe.preparing.derived_from_counts import derived_lines, derived_numbers

    derived = derived_numbers(prepared)
    write_json(folder / "derived.json", [dataclasses.asdict(each) for each in derived])
    for line in derived_lines(derived):
        display.say(line)


def _start(folder: Path, ties: Mapping[str, str], allow: Collection[str]) -> Any:
    """Return the checkpoint to go on from; None at the beginning. Raises RecipeError where what it hangs on changed."""
    from skinframe.train.checkpoint import newest_checkpoint

    start = newest_checkpoint(folder / "checkpoints")
    if start is not None:
        changes = differing(start.state["ties"], ties)
        refuse(changes, allow, str(folder))
        note(folder, changes)
    return start


def _whole(folder: Path, epoch: int) -> Any:
    """Return the checkpoint of an epoch. Raises RecipeError where its files do not match their hashes."""
    from skinframe.train.checkpoint import load_checkpoint

    checkpoint = load_checkpoint(folder / "checkpoints" / f"epoch-{epoch:03d}")
    if checkpoint is None:
        what = f"epoch-{epoch:03d} is needed and does not match its hashes; move the folder away and run again"
        raise RecipeError(str(folder), [Problem("checkpoints", what)])
    return checkpoint


def _until_exhausted(epochs: Any, history: list[dict[str, float]], select: Select, mode: Literal["min", "max"]) -> Any:
    """Yield epochs until patience runs out; asks before the next epoch is trained, so a resume stops alike."""
    from skinframe.evaluation.checkpoint_selection import exhausted

    while not exhausted(history, select.by, mode, select.patience or None):
        checkpoint = next(epochs, None)
        if checkpoint is None:
            return
        yield checkpoint


def _history(folder: Path, epochs: int) -> list[dict[str, float]]:
    """Return the validation figures of the epochs that a resume keeps."""
    path = folder / "validation.json"
    entries = json.loads(path.read_text()) if path.is_file() else []
    return [{k: math.nan if v is None else v for k, v in entry.items()} for entry in entries[:epochs]]


def _write_history(folder: Path, history: list[dict[str, float]]) -> None:
    """Write what has been validated; JSON has no NaN, so an undefined figure is null."""
    plain = [{k: v if math.isfinite(v) else None for k, v in entry.items()} for entry in history]
    write_json(folder / "validation.json", plain)
