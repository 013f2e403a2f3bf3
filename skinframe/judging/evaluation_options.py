"""What somebody asks of an evaluation."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from skinframe.errors import Problem, RecipeError
from skinframe.evaluation.external_predictions import TableColumns


@dataclass(frozen=True, kw_only=True)
class EvaluationOptions:
    """How to judge. `positive` are the classes to look for, `prevalence` their share where the model will be used,
    `thresholds` the range that a decision would accept, `subgroups` recorded fields to compare by, `tier` a field of
    tiers and the one to compare with, `fit_on` a table whose patients calibrate and set thresholds for the one that is
    judged, `requires` plugins to load. Without a `seed` a run is resampled with its own, and a table with 0.
    """

    metrics: tuple[str, ...] = ()
    positive: tuple[str, ...] = ()
    prevalence: float | None = None
    thresholds: tuple[float, float] = (0.02, 0.2)
    subgroups: tuple[str, ...] = ()
    tier: tuple[str, str] | None = None
    resamples: int = 1000
    level: float = 0.95
    seed: int | None = None
    columns: TableColumns = field(default_factory=TableColumns)
    fit_on: Path | None = None
    requires: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        low, high = self.thresholds
        share = self.prevalence
        checks = (
            (self.resamples >= 1, f"resamples must be at least 1, got {self.resamples}"),
            (0 < self.level < 1, f"level is the share that an interval covers, in (0, 1), got {self.level}"),
            (share is None or 0 < share < 1, f"prevalence must be in (0, 1), got {share}"),
            (0 < low < high < 1, f"thresholds must satisfy 0 < LOW < HIGH < 1, got {low} and {high}"),
        )
        problems = [Problem("evaluate", what) for holds, what in checks if not holds]
        if problems:
            raise RecipeError("evaluate", problems)
