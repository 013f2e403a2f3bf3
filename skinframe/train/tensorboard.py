"""The TensorBoard tracker."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skinframe.components import Tracker
from skinframe.errors import Problem, RecipeError


class TensorBoard(Tracker):
    """Writes every number of the training log under `tensorboard` in the run folder."""

    name = "tensorboard"

    def __init__(self, config: Any = None) -> None:
        super().__init__(config)
        self._writer: Any = None

    def start(self, folder: Path, run: str, settings: Mapping[str, str]) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            what = "tensorboard is not installed; run `pip install skinframe[tensorboard]`"
            raise RecipeError("recipe", [Problem("trackers.tensorboard", what)]) from error
        self._writer = SummaryWriter(str(folder / "tensorboard"))

    def log(self, step: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, global_step=step)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
