"""Rationales are right where they say what is there, and beat the usual only when they do."""

import math

import numpy as np
import pytest

from skinframe.evaluation.rationale_accuracy import majority, score_rationales

NAMES = ("network", "veil", "streaks")
GROUPS = [f"patient:{row // 2}" for row in range(200)]


def truth(seed=0, n=200):
    random = np.random.default_rng(seed)
    return [tuple(bool(v) for v in random.random(3) < (0.7, 0.1, 0.3)) for _ in range(n)]


def rationale(mentions, real, **options):
    return score_rationales(mentions, real, truth(1), NAMES, GROUPS, seed=1, resamples=200, **options)


def test_saying_the_truth_is_right_and_beats_the_usual():
    real = truth()
    found = rationale(real, real)
    assert found.accuracy.value == found.balanced.value == found.mentioned == 1.0
    expected = np.mean([[a == b for a, b in zip(row, (True, False, False), strict=True)] for row in real])
    assert found.baseline.value == pytest.approx(expected)
    assert found.gain.value == pytest.approx(1 - expected)
    assert found.gain.low > 0
    assert found.gain.p < 0.01
    assert [row.present for row in found.attributes] == np.sum(real, axis=0).tolist()


def test_always_saying_the_usual_gains_nothing():
    found = rationale([(True, False, False)] * 200, truth())
    assert found.gain.value == 0.0
    assert found.gain.p == 1.0
    assert found.balanced.value == pytest.approx(0.5)


def test_what_is_not_mentioned_counts_as_absent():
    real = truth()
    silent = [tuple(True if value else None for value in row) for row in real]
    found = rationale(silent, real)
    assert found.accuracy.value == 1.0
    assert found.mentioned == pytest.approx(np.mean(real))
    empty = rationale([(None, None, None)] * 200, real)
    assert [row.sensitivity for row in empty.attributes] == [0.0, 0.0, 0.0]
    assert [row.specificity for row in empty.attributes] == [1.0, 1.0, 1.0]


def test_unknown_truth_is_not_scored():
    real = truth()
    partial = [row if i % 2 else (None, None, None) for i, row in enumerate(real)]
    wrong_where_unknown = [row if i % 2 else tuple(not v for v in row) for i, row in enumerate(real)]
    found = rationale(wrong_where_unknown, partial)
    assert found.accuracy.value == 1.0
    assert found.attributes[0].n == 100


def test_an_attribute_that_is_always_absent_has_no_sensitivity_and_no_part_in_the_mean():
    real = [(row[0], False, row[2]) for row in truth()]
    found = rationale(real, real)
    assert math.isnan(found.attributes[1].sensitivity)
    assert found.balanced.value == 1.0


def test_majority_breaks_ties_as_absent():
    assert majority([(True, None), (False, None)], 2).tolist() == [False, False]


def test_lengths_must_fit():
    with pytest.raises(ValueError, match="do not fit"):
        rationale(truth()[:-1], truth())
    with pytest.raises(ValueError, match="needs 3 attributes"):
        rationale([()] * 200, truth())
