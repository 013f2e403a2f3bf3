"""Where data shift, promises made on validation are marked: prediction sets that hold too little, and thresholds."""

from __future__ import annotations

import numpy as np
import pytest

from skinframe.evaluation.softmax import softmax
from skinframe.judging.evidence.decision_tables import positive_tables
from skinframe.judging.evidence.selective_and_conformal import sets_table
from skinframe.judging.paired_references import screening_table
from skinframe.judging.prediction_figures import JudgedSamples
from skinframe.weighted_statistics import Floats, Ints

CLASSES = ("nv", "mel", "bcc")


def drawn(seed: int, skill: float, n: int = 200) -> tuple[Ints, Floats, list[str]]:
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, n)
    return (
        labels,
        softmax(skill * np.eye(3)[labels] + random.normal(size=(n, 3))),
        [f"{seed}-{row}" for row in range(n)],
    )


def judged(labels: Ints, groups: list[str]) -> JudgedSamples:
    return JudgedSamples(classes=CLASSES, labels=labels, groups=groups, seed=0, resamples=50, level=0.95)


@pytest.mark.parametrize(("skill", "broken"), [(3.0, False), (-1.0, True)])
def test_sets_that_hold_fewer_than_they_promise_are_marked(skill: float, broken: bool) -> None:
    labels, probabilities, groups = drawn(1, skill)
    table = sets_table(judged(labels, groups), probabilities, drawn(0, 3.0))
    assert table is not None
    assert ("BROKEN HERE" in table.rows[0].note) == broken
    coverage = table.rows[0].cells[0]
    assert coverage is not None
    assert coverage.high is not None
    assert (coverage.high < 0.9) == broken


def test_what_a_threshold_holds_here_stands_beside_it() -> None:
    labels, probabilities, groups = drawn(1, 0.5)
    fold_labels, fold, _ = drawn(0, 3.0)
    rows = {"as given": (probabilities, (fold_labels, fold))}
    table, curve = positive_tables(judged(labels, groups), rows, ("mel",), prevalence=None, low=0.05, high=0.5)
    cells = dict(zip(table.head, table.rows[0].cells, strict=True))
    positive, scores = labels == 1, probabilities[:, 1]
    negatives = np.sort(fold[fold_labels != 1][:, 1])
    held = cells["specificity held here"]
    assert held is not None
    assert held.value is not None
    threshold = next(t for t in np.unique(fold[:, 1]) if np.mean(negatives < t) >= 0.9)
    assert held.value == pytest.approx(np.mean(scores[~positive] < threshold))
    assert held.value != pytest.approx(0.9, abs=0.02)
    assert len(curve.curves[0].beside) == 2
    assert curve.curves[0].beside[1] == (0.0,) * 10


def test_malignant_classes_are_counted_as_they_are_named() -> None:
    labels, probabilities, groups = drawn(2, 2.0)
    table = screening_table(
        judged(labels, groups), probabilities, ("mel", "bcc"), {"mel": "melanoma"}, word="malignant"
    )
    assert table is not None
    assert [row.name for row in table.rows] == ["melanoma (mel)", "bcc", "any malignant class"]
    named = probabilities.argmax(1)
    sensitivity, specificity, _ = table.rows[-1].cells
    assert sensitivity is not None
    assert specificity is not None
    assert sensitivity.value == pytest.approx(np.mean(named[labels > 0] > 0))
    assert specificity.value == pytest.approx(np.mean(named[labels == 0] == 0))
    assert screening_table(judged(labels, groups), probabilities, (), {}, word="malignant") is None
    assert screening_table(judged(labels, groups), probabilities, CLASSES, {}, word="malignant") is None
