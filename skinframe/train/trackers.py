"""TensorBoard through accelerate's tracker, where the recipe asks for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from skinframe.errors import Problem, RecipeError


class Tracker:
    """Writes every part of the loss, its weight and its gradient norm under `folder/tensorboard`; None: nothing."""

    def __init__(self, folder: Path | None) -> None:
        self._tracker: Any = None
        if folder is None:
            return
        try:
            from accelerate.tracking import TensorBoardTracker

            self._tracker = TensorBoardTracker("tensorboard", logging_dir=str(folder))
            self._tracker.start()  # makes the writer; the constructor alone does not
        except ImportError as error:
            what = "tensorboard is not installed; run `pip install skinframe[tensorboard]`"
            raise RecipeError("recipe", [Problem("train.tensorboard", what)]) from error

    def log(self, step: int, line: dict[str, Any]) -> None:
        if self._tracker is None:
            return
        values = {"total": line["total"], "grad_norm": line["grad_norm"], "rate": line["rate"]}
        for name, part in line["parts"].items():
            values |= {f"{name}/{key}": value for key, value in part.items()}
        self._tracker.log(values, step=step)

    def close(self) -> None:
        if self._tracker is not None:
            self._tracker.finish()
