"""Runs a recipe from start to finish: plan, data, features, model, training, evaluation, report."""

from __future__ import annotations

import os
import time
from collections.abc import Collection
from pathlib import Path

from skinframe.device import best_device, deterministic
from skinframe.planning import Plan
from skinframe.planning.load_plan import (
    refuse_foreign_settings,
    refuse_missing,
    refuse_old_libraries,
    refuse_processes,
)
from skinframe.preparing.image_cache import ImageTableCache
from skinframe.preparing.prepare import prepare
from skinframe.preparing.remote_features import ShardEngine
from skinframe.progress import Display
from skinframe.reporting.run_result import RunResult
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
    image_tables: ImageTableCache | None = None,
    spread: ShardEngine | None = None,
) -> RunResult:
    """Run a plan to its report and return the result; `image_tables` keeps the images for the next run of this process.

    `spread` extracts features in other processes. Raises the errors of `skinframe.errors`.
    """
    display = display or Display()
    refuse_processes(os.environ)
    refuse_foreign_settings(os.environ)
    refuse_missing(plan)
    refuse_old_libraries(plan.source)
    device = _device(plan)
    started = time.monotonic()
    exact = plan.recipe.train.deterministic
    with run_folder(plan, out, resume, allow) as folder, deterministic(exact, plan.source):
        display.say(f"run folder {folder} · scale {plan.recipe.scale} · device {device}")
        prepared = prepare(plan, folder, cache, device, display, image_tables=image_tables, spread=spread)
        from skinframe.running.run_report import write_run_report
        from skinframe.running.run_training import train

        chosen, model, feed = train(plan, prepared, folder, display, allow)
        report = write_run_report(prepared, model, feed, folder, chosen, time.monotonic() - started, display)
        write_files(folder)
        display.say(f"report {folder / 'report.html'}")
        return RunResult(folder, report)


def _device(plan: Plan) -> str:
    import torch

    torch.set_num_threads(plan.recipe.train.threads)
    return best_device()
