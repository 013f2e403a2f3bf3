"""Scores as the report holds them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from skinframe.components import Metric
from skinframe.evaluation.scores_with_intervals import PairedDifference, Score
from skinframe.reporting.formatting import OTHERS, STANDARD
from skinframe.reporting.report_values import Estimate, Floor, MetricInfo


def known(value: float) -> float | None:
    """Return None for a number that is undefined."""
    return value if math.isfinite(value) else None


def estimate(found: Score | PairedDifference) -> Estimate:
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


def said(found: Mapping[str, Score]) -> tuple[str, ...]:
    """Return what to know of a row's figures: interval warnings, and why a metric is undefined."""
    warnings = [warning for value in found.values() for warning in value.warnings]
    reasons = [f"{name} is undefined: {value.reason}" for name, value in found.items() if value.reason]
    return tuple(dict.fromkeys((*warnings, *reasons)))


def infos(metrics: Mapping[str, Metric]) -> tuple[MetricInfo, ...]:
    """Return the page's columns: those that it knows in its own order, then a plugin's with its direction."""
    standard = {info.name: info for info in (*STANDARD, *OTHERS)}
    order = [name for name in standard if name in metrics] + [name for name in metrics if name not in standard]
    return tuple(
        standard.get(name, MetricInfo(name=name, higher_is_better=metrics[name].higher_is_better)) for name in order
    )
