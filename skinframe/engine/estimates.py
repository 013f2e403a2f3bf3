"""Scores as the report holds them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from skinframe.evaluation.intervals import Difference, Score
from skinframe.reporting.schema import Estimate, Floor


def known(value: float) -> float | None:
    """Return None for a number that is undefined."""
    return value if math.isfinite(value) else None


def estimate(found: Score | Difference) -> Estimate:
    """Return a score with its interval, and its floor where it has one."""
    floor = getattr(found, "floor", None)
    return Estimate(
        value=known(found.value),
        low=known(found.low),
        high=known(found.high),
        floor=None if floor is None else Floor(mean=floor.mean, p95=floor.upper, p_value=floor.p),
        method=found.method,
        warnings=found.warnings,
    )


def plain(found: Mapping[str, Score]) -> dict[str, Any]:
    """Return scores as JSON values; undefined numbers are null."""
    return {
        name: {k: known(v) if isinstance(v, float) else v for k, v in dataclasses.asdict(value).items()}
        for name, value in found.items()
    }
