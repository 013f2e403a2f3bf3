"""Which checkpoint is selected, and when to stop early: pure functions of the validation metrics so far."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from skinframe.errors import DataError, did_you_mean

Mode = Literal["min", "max"]
History = Sequence[Mapping[str, float]]


@dataclass(frozen=True)
class StageRule:
    """When a stage of training ends and which of its epochs is the best; `patience` None never stops early."""

    epochs: int
    by: str
    mode: Mode
    patience: int | None = None

    def over(self, entries: History) -> bool:
        """Say whether the stage ends after these epochs of it. Asked before an epoch: a resume stops alike."""
        return len(entries) >= self.epochs or exhausted(entries, self.by, self.mode, self.patience)


def stage_spans(history: History, rules: Sequence[StageRule]) -> list[range]:
    """Return the epochs of each stage so far; a stage that has not begun has none."""
    spans, first = [], 0
    for rule in rules:
        end = first
        while end < len(history) and not rule.over(history[first:end]):
            end += 1
        spans.append(range(first, end))
        first = end
    return spans


def open_stage(history: History, rules: Sequence[StageRule]) -> int | None:
    """Return the index of the stage that trains next; None where every stage is over."""
    for index, (rule, span) in enumerate(zip(rules, stage_spans(history, rules), strict=True)):
        if not rule.over(history[span.start : span.stop]):
            return index
    return None


def best_of_stage(history: History, rules: Sequence[StageRule], index: int) -> int:
    """Return the best epoch of a stage, counted over the whole run. Raises DataError as `best` does."""
    span, rule = stage_spans(history, rules)[index], rules[index]
    return span.start + best(history[span.start : span.stop], rule.by, rule.mode)


def best_of_run(history: History, rules: Sequence[StageRule], among: Literal["last", "all"]) -> int:
    """Return the chosen epoch: the best of the last stage that has any, or of all by the last stage's rule."""
    trained = [index for index, rule in enumerate(rules) if rule.epochs]
    last = trained[-1] if trained else 0
    return best(history, rules[last].by, rules[last].mode) if among == "all" else best_of_stage(history, rules, last)


def needed_epochs(history: History, rules: Sequence[StageRule], among: Literal["last", "all"]) -> set[int]:
    """Return the epochs whose weights the next stage or the choice of the run may need, as far as is known by now."""
    spans = [index for index, span in enumerate(stage_spans(history, rules)) if span]
    try:
        needed = {best_of_stage(history, rules, spans[-1])} if spans else set()
        return needed | ({best_of_run(history, rules, "all")} if spans and among == "all" else set())
    except DataError:  # no epoch has a figure yet
        return set()


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
