"""When a stage ends, where the next one starts, and which epochs a resume or the selection may still need."""

from __future__ import annotations

import math

import pytest

from skinframe.errors import DataError
from skinframe.evaluation.checkpoint_selection import (
    StageRule,
    best_of_run,
    best_of_stage,
    needed_epochs,
    open_stage,
    stage_spans,
)

TWO = [StageRule(2, "nll", "min"), StageRule(3, "acc", "max", patience=2)]


def figures(*nll: float, acc: float | None = None) -> list[dict[str, float]]:
    return [{"nll": value, "acc": value if acc is None else acc} for value in nll]


@pytest.mark.parametrize(
    ("epochs", "spans", "stage"),
    [
        (0, [(0, 0), (0, 0)], 0),
        (1, [(0, 1), (1, 1)], 0),
        (2, [(0, 2), (2, 2)], 1),
        (4, [(0, 2), (2, 4)], 1),
        (5, [(0, 2), (2, 5)], None),
    ],
)
def test_stages_follow_each_other(epochs: int, spans: list[tuple[int, int]], stage: int | None) -> None:
    history = figures(*range(epochs))
    assert [(span.start, span.stop) for span in stage_spans(history, TWO)] == spans
    assert open_stage(history, TWO) == stage


def test_patience_is_counted_within_the_stage() -> None:
    """The second stage's first epoch is worse than all before it, and a new beginning."""
    history = [*figures(5.0, 9.0), *figures(3.0, 2.0)]
    assert open_stage(history, TWO) == 1
    history += figures(1.0)
    assert open_stage(history, TWO) is None
    late = [StageRule(9, "nll", "min", patience=1), StageRule(1, "nll", "min")]
    assert [len(span) for span in stage_spans(figures(1.0, 2.0, 3.0), late)] == [2, 1]


def test_a_stage_without_epochs_is_passed_over() -> None:
    rules = [StageRule(0, "nll", "min"), StageRule(1, "nll", "min")]
    assert open_stage([], rules) == 1
    assert open_stage(figures(1.0), rules) is None
    assert best_of_run(figures(1.0), [*rules, StageRule(0, "nll", "min")], "last") == 0


def test_the_best_is_looked_for_in_its_stage_by_its_metric() -> None:
    history = [*figures(1.0, 0.5), *figures(0.7, 0.9, 0.8)]
    assert best_of_stage(history, TWO, 0) == 1
    assert best_of_stage(history, TWO, 1) == 3
    assert best_of_run(history, TWO, "last") == 3
    assert best_of_run(history, TWO, "all") == 0
    with pytest.raises(DataError, match="no epoch has been validated"):
        best_of_stage(history[:2], TWO, 1)


def test_needed_are_the_best_of_the_open_stage_and_where_asked_of_the_run() -> None:
    history = [*figures(1.0, 0.5), *figures(0.7, 0.9)]
    assert needed_epochs([], TWO, "last") == needed_epochs([], TWO, "all") == set()
    assert needed_epochs(history[:2], TWO, "last") == {1}
    assert needed_epochs(history, TWO, "last") == {3}
    assert needed_epochs(history, TWO, "all") == {3, 0}
    assert needed_epochs(figures(math.nan), TWO, "last") == set()
