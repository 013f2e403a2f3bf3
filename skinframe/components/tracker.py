"""Trackers: further destinations of the training log, such as TensorBoard."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path

from skinframe.components.base import Component


class Tracker(Component):
    """Takes the numbers of each logged step; changes none of them, and no number of the run depends on it."""

    kind = "tracker"

    @abstractmethod
    def start(self, folder: Path, run: str, settings: Mapping[str, str]) -> None:
        """Open the tracker of a run, or take it up again after a resume.

        `folder` is the run's; `run` its name; `settings` the plan's identity. Raises RecipeError where what it needs is
        not installed.
        """

    @abstractmethod
    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Record the numbers of a step by name: `total`, `grad_norm`, `rate`, and `TERM/value`, `TERM/weight`, …"""

    def close(self) -> None:
        """Finish; called once, also after an error."""
