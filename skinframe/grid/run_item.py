"""Executes one run of a grid on any engine; a complete run is skipped."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from skinframe.errors import RecipeError, SkinframeError
from skinframe.grid.grid import state
from skinframe.grid.run_request import RunItem
from skinframe.preparing.image_cache import ImageTableCache


@dataclass(frozen=True)
class ItemResult:
    """How a run ended: `code` is the exit code of `skinframe run`, `message` that of an error."""

    item: RunItem
    code: int
    message: str = ""
    seconds: float = 0.0


def attempt(item: RunItem, image_tables: ImageTableCache | None = None) -> ItemResult:
    """Make a run and return how it ended; raises nothing but a signal to stop. `image_tables`: this process's."""
    began = time.monotonic()
    code, message = caught(lambda: run_item(item, image_tables))
    return ItemResult(item, code, message, time.monotonic() - began)


def run_item(item: RunItem, image_tables: ImageTableCache | None = None) -> None:
    """Start or resume a run; a finished one is left alone. Raises the errors of `skinframe.errors`."""
    if state(item) == "done":
        return
    from skinframe.progress import Display
    from skinframe.running.run_recipe import run

    plan = item.request.plan()
    if plan.run_name != item.name:
        what = f"{item.label}: resolves to run {plan.run_name} here, but was planned as {item.name}"
        raise RecipeError(f"{what}; use the same versions, weights and data on both machines", [])
    resume = item.folder.exists()
    run(
        plan,
        out=Path(item.out),
        cache=Path(item.cache),
        resume=resume,
        display=Display(quiet=True),
        image_tables=image_tables,
    )


def caught(work: Callable[[], None]) -> tuple[int, str]:
    """Return the exit code and the message with which work ended; raises nothing but a signal to stop."""
    try:
        work()
    except SkinframeError as error:
        return error.exit_code, str(error)
    except Exception:  # a bug in a plugin must not take other work with it
        return 1, traceback.format_exc()
    return 0, ""
