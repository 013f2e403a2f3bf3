"""Which checkpoint is selected, and when to stop early: pure functions of the validation metrics so far."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal

from skinframe.errors import DataError, did_you_mean

Mode = Literal["min", "max"]


def best(history: Sequence[Mapping[str, float]], by: str, mode: Mode) -> int:
    """Return the index of the best entry; the earliest of equals, and never one whose figure is NaN.

    Raises DataError where a history is empty, lacks the figure, or has no finite one.
    """
    figures = _figures(history, by)
    known = [epoch for epoch, figure in enumerate(figures) if not math.isnan(figure)]
    if not known:
        raise DataError(f"select.by: '{by}' is undefined in all {len(figures)} epochs; select by another figure")
    sign = 1.0 if mode == "min" else -1.0
    return min(known, key=lambda epoch: (sign * figures[epoch], epoch))


def exhausted(history: Sequence[Mapping[str, float]], by: str, mode: Mode, patience: int | None) -> bool:
    """Say whether the last `patience` epochs all failed to improve on the best; never where patience is None."""
    if patience is None or not history:
        return False
    figures = _figures(history, by)
    if all(math.isnan(figure) for figure in figures):
        return len(figures) >= patience
    return len(figures) - 1 - best(history, by, mode) >= patience


def _figures(history: Sequence[Mapping[str, float]], by: str) -> list[float]:
    if not history:
        raise DataError("select: no epoch has been validated; train for at least one")
    missing = next((entry for entry in history if by not in entry), None)
    if missing is not None:
        raise DataError(f"select.by: no validation figure '{by}'{did_you_mean(by, missing)}")
    return [float(entry[by]) for entry in history]
