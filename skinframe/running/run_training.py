"""Training as part of a run: stages in order, each epoch validated; then the chosen weights are loaded."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from skinframe.atomic_write import write_atomic, write_json
from skinframe.data.feed import Feed
from skinframe.errors import Problem, RecipeError
from skinframe.evaluation.checkpoint_selection import (
    StageRule,
    best_of_run,
    best_of_stage,
    needed_epochs,
    open_stage,
    stage_spans,
)
from skinframe.model.module import Model, build_model
from skinframe.model.objective import Objective
from skinframe.planning import Plan
from skinframe.planning.resolve_components import metric_mode
from skinframe.planning.stage_parts import stage_lines
from skinframe.predicting.finished_run import fingerprints_of
from skinframe.predicting.validation_metrics import validate
from skinframe.preparing.derived_from_counts import derived_lines, derived_numbers
from skinframe.preparing.prepared_data import Prepared
from skinframe.preparing.run_feed import make_feed
from skinframe.progress import Display, parts_note
from skinframe.running.environment import input_digests
from skinframe.running.resume_changes import changes_between, record_changes, refuse_changes
from skinframe.running.run_folder import take_over
from skinframe.train.checkpoint import (
    Checkpoint,
    keep_only,
    load_checkpoint,
    name_of,
    newest_checkpoint,
    plain_history,
    read_history,
)
from skinframe.train.optimiser import part_sizes
from skinframe.train.training_log import Trackers
from skinframe.train.training_loop import Trainer
from skinframe.train.training_step import make_accelerator
from skinframe.untrusted_files import read_list, well_formed

HISTORY = "validation.json"


def train(
    plan: Plan, prepared: Prepared, folder: Path, display: Display, allow: Collection[str]
) -> tuple[int | None, Model, Feed]:
    """Train as the recipe says and return the chosen epoch, the model with its weights, and the feed.

    The chosen epoch is None where none is trained: the model is then as it was loaded.
    """
    model = build_model(plan, prepared.device)
    feed = make_feed(prepared, model)
    _say_derived(prepared, folder, display)
    calls = prepared.tower_calls
    chosen = None
    start = _newest(plan, prepared, folder, allow) if plan.recipe.trains else None
    take_over(plan, folder, prepared.device)
    if start is not None:
        record_changes(folder, changes_between(start.state["ties"], input_digests(prepared)))
    if plan.recipe.trains:
        chosen = _train_stages(plan, prepared, model, feed, folder, display, start)
    else:
        _write_empty_logs(folder)
    if prepared.tower_calls != calls:
        raise AssertionError("a frozen tower was called during training; its features are cached")
    _write_selection(plan, folder, chosen)
    return chosen, model, feed


def stage_rules(plan: Plan) -> list[StageRule]:
    """Return when each stage ends and by which metric its best epoch is found."""
    return [
        StageRule(
            stage.train.epochs, stage.select.by, metric_mode(plan.parts, stage.select.by), stage.select.patience or None
        )
        for stage in plan.recipe.stage_plans
    ]


def _train_stages(
    plan: Plan,
    prepared: Prepared,
    model: Model,
    feed: Feed,
    folder: Path,
    display: Display,
    start: Checkpoint | None,
) -> int:
    rules = stage_rules(plan)
    ties = input_digests(prepared)
    history = _known_history(folder, start)
    accelerator = make_accelerator(plan.recipe.train.precision)
    for line in stage_lines(plan.recipe, part_sizes(model.trained_parameters())):
        display.say(line)
    with display.task("training") as task, Trackers(plan, folder) as trackers:

        def watch(step: int, total: int, line: dict[str, Any]) -> None:
            task.update(step, total, parts_note(line))
            trackers.log(step, line)

        trainer = Trainer(
            plan, model, Objective(plan), feed, prepared.split.train, folder, accelerator, watch, ties, history
        )
        if start is not None:
            display.say(f"continuing after {start.folder.name}")
            for epoch in range(len(history), start.finished):  # killed between a checkpoint and its validation
                model.load_trained_state(_whole(folder, epoch).tensors("model"))
                history.append(validate(prepared, model, feed))
                _write_history(folder, history)
        trainer.open(start)
        _prune(plan, folder, history, rules)  # a kill may have come between an epoch's validation and this
        for checkpoint in _epochs(trainer, history, rules):
            history.append(validate(prepared, model, feed))
            _write_history(folder, history)
            _prune(plan, folder, history, rules)
            by = rules[checkpoint.stage].by
            display.say(f"epoch {checkpoint.epoch + 1}: validation {by} {history[-1][by]:.4f}")
    chosen = best_of_run(history, rules, plan.recipe.select.stages)
    model.load_trained_state(_whole(folder, chosen).tensors("model"))
    return chosen


def _epochs(
    trainer: Trainer, history: Sequence[Mapping[str, float]], rules: Sequence[StageRule]
) -> Iterator[Checkpoint]:
    """Yield the checkpoint of each epoch; whether a stage goes on is asked before the next epoch is trained.

    A stage after the first starts from the best epoch of the one before it.
    """
    while (index := open_stage(history, rules)) is not None:
        first = stage_spans(history, rules)[index].start
        if first == len(history) and first > 0:  # nothing of this stage is validated yet
            before = max(stage for stage, span in enumerate(stage_spans(history, rules)) if span)
            trainer.restore(_whole(trainer.folder, best_of_stage(history, rules, before)))
        for checkpoint in trainer.epochs(index, first):
            yield checkpoint
            if open_stage(history, rules) != index:
                break


def _prune(plan: Plan, folder: Path, history: Sequence[Mapping[str, float]], rules: Sequence[StageRule]) -> None:
    """Keep the last two checkpoints, from either of which a resume may begin, and what selection needs as of each."""
    if plan.recipe.train.keep == "all":
        return
    last, among = len(history) - 1, plan.recipe.select.stages
    weights = needed_epochs(history, rules, among) | needed_epochs(history[:-1], rules, among)
    keep_only(folder / "checkpoints", resumable={last, last - 1}, weights=weights)


def _newest(plan: Plan, prepared: Prepared, folder: Path, allow: Collection[str]) -> Checkpoint | None:
    """Return the checkpoint to go on from; None at first. Raises RecipeError where what it is tied to changed."""
    start = newest_checkpoint(folder / "checkpoints", {plan.fingerprint, *fingerprints_of(folder)})
    if start is not None:
        refuse_changes(changes_between(start.state["ties"], input_digests(prepared)), allow, str(folder))
    return start


def _whole(folder: Path, epoch: int) -> Checkpoint:
    """Return the checkpoint of an epoch. Raises RecipeError where its files do not match their hashes."""
    checkpoint = load_checkpoint(folder / "checkpoints" / name_of(epoch), fingerprints_of(folder))
    if checkpoint is None:
        what = f"{name_of(epoch)} is needed and does not match its hashes; move the folder away and run again"
        raise RecipeError(str(folder), [Problem("checkpoints", what)])
    return checkpoint


def _known_history(folder: Path, start: Checkpoint | None) -> list[dict[str, float]]:
    """Return the validation figures of the epochs that a resume keeps: from their file, else from the checkpoint."""
    if start is None:
        return []
    path = folder / HISTORY
    written = read_list(path) if path.exists() else []
    entries = written if len(written) >= start.finished else start.state.get("validation", written)
    with well_formed(path):
        return read_history(entries[: start.finished])


def _write_history(folder: Path, history: Sequence[Mapping[str, float]]) -> None:
    write_json(folder / HISTORY, plain_history(history))


def _write_empty_logs(folder: Path) -> None:
    """Write the logs of a run that trains nothing: they are empty."""
    write_atomic(folder / "log.jsonl", b"")
    _write_history(folder, [])


def _write_selection(plan: Plan, folder: Path, chosen: int | None) -> None:
    """Write which epoch was chosen by what, and what a later reader of the run must know of its data."""
    last = stage_rules(plan)[-1]
    selection: dict[str, Any] = {"epoch": chosen, "by": last.by, "mode": last.mode}
    selection["classes"] = plan.parts.dataset.classes
    if plan.metadata_fields is not None:
        selection["metadata_fields"] = [dataclasses.asdict(field) for field in plan.metadata_fields]
    write_json(folder / "selection.json", selection)


def _say_derived(prepared: Prepared, folder: Path, display: Display) -> None:
    """Write and say what the loss terms took from the training counts."""
    derived = derived_numbers(prepared)
    write_json(folder / "derived.json", [dataclasses.asdict(each) for each in derived])
    for line in derived_lines(derived):
        display.say(line)
