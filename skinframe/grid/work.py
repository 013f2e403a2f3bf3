"""One work item from start to finish: the same on any engine, and free where it is done already."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from skinframe.errors import RecipeError, SkinframeError
from skinframe.grid.grid import state
from skinframe.grid.request import Item
from skinframe.preparing.image_cache import Shelf


@dataclass(frozen=True)
class Outcome:
    """How an item ended: `code` as `skinframe run` would have exited, and the message of an error."""

    item: Item
    code: int
    message: str = ""
    seconds: float = 0.0


def do(item: Item, shelf: Shelf | None = None) -> Outcome:
    """Do an item and say how it ended; only a signal to stop gets out of here. `shelf` is that of this process."""
    began = time.monotonic()
    code, message = caught(lambda: run_item(item, shelf))
    return Outcome(item, code, message, time.monotonic() - began)


def run_item(item: Item, shelf: Shelf | None = None) -> None:
    """Run an item from where it stands; a finished one is left alone. Raises the errors of `skinframe.errors`."""
    if state(item) == "done":
        return
    from skinframe.progress import Display
    from skinframe.running.run_recipe import run

    plan = item.request.plan()
    if plan.run_name != item.name:
        what = f"{item.label}: is another run here ({plan.run_name}) than where it was planned ({item.name})"
        raise RecipeError(f"{what}; give both machines the same versions, weights and data", [])
    resume = item.folder.exists()
    run(plan, out=Path(item.out), cache=Path(item.cache), resume=resume, display=Display(quiet=True), shelf=shelf)


def caught(work: Callable[[], None]) -> tuple[int, str]:
    """Return the exit code and the message with which work ended; only a signal to stop gets out of here."""
    try:
        work()
    except SkinframeError as error:
        return error.exit_code, str(error)
    except Exception:  # a bug in a plugin must not take other work with it
        return 1, traceback.format_exc()
    return 0, ""
