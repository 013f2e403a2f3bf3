"""Intervals that hold less than they say are warned of: few groups, and few groups with a long tail of classes."""

from __future__ import annotations

import numpy as np
import pytest

from skinframe.evaluation.scores_with_intervals import class_warnings

LONG_TAIL = np.repeat([0, 1, 2], [26, 11, 3])
EVEN = np.repeat([0, 1, 2], [14, 13, 13])


@pytest.mark.parametrize(
    ("labels", "times", "warned"),
    [(LONG_TAIL, 1, True), (EVEN, 1, False), (np.tile(LONG_TAIL, 2), 1, False), (np.repeat(LONG_TAIL, 3), 3, True)],
)
def test_forty_patients_with_a_rare_class_are_warned_of(labels: np.ndarray, times: int, warned: bool) -> None:
    groups = [f"p{row // times}" for row in range(len(labels))]
    said = class_warnings(labels, 3, groups)
    assert any("may hold less often than the 95 % that they state" in text for text in said) == warned


def test_a_perfect_model_has_no_interval_of_no_width() -> None:
    from skinframe.evaluation.discrimination import Accuracy, BalancedAccuracy, MacroAUROC
    from skinframe.evaluation.scores_with_intervals import score

    labels = np.arange(60) % 3
    metrics = {"a": Accuracy(), "b": BalancedAccuracy(), "c": MacroAUROC()}
    found = score(metrics, labels, np.eye(3)[labels] * 0.9 + 0.03, [str(i) for i in range(60)], seed=0, resamples=50)
    assert found["a"].low < 0.96  # a share has an interval of its own
    for name in "bc":
        assert np.isnan([found[name].low, found[name].high]).all()
        assert "all resamples agree: no interval can be given" in found[name].warnings
