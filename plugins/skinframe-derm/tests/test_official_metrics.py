"""The challenges' metrics equal the organisers' definitions, and differ from each other as they should."""

import math

import numpy as np
import pytest
from skinframe_derm.metrics.isic2024 import PAUC, RetrievalSensitivity, pauc_tpr80
from skinframe_derm.metrics.isic_archive import ArchiveAUC, BalancedRecall, auc_sens80
from skinframe_derm.metrics.seven_point import POINTS, criterion, suspicious, total

from skinframe import Facts
from skinframe.evaluation.scores_with_intervals import score
from skinframe.weighted_statistics import once

CASES = 1000


def draw(seed, kind):
    """Truth, scores and weights; scores tied or not, in one of the ranges in which submissions came."""
    random = np.random.default_rng((seed, 7))
    n = int(random.integers(2, 60))
    truth = random.random(n) < random.choice([0.05, 0.3, 0.7])
    truth[:2] = True, False
    if kind == "logits":
        s = random.normal(size=n) * 8 + truth
    elif kind == "tiny float32":
        s = (10.0 ** -random.uniform(6, 12, n) * (1 + truth)).astype(np.float32)
    elif kind == "tied":
        s = random.integers(0, random.choice([1, 3, 9]) + 1, n) / 10
    else:
        s = random.random(n)
    return truth, s, random.integers(1, 4, n).astype(float)


def official(truth, scores, weights):
    """The ISIC 2024 definition: McClish undone, on classes and scores turned round; negation keeps every order."""
    from sklearn.metrics import roc_auc_score

    m = 1 - 0.8
    turned = roc_auc_score(~truth, -scores.astype(np.float64), max_fpr=m, sample_weight=weights)
    return m**2 / 2 + (m - m**2 / 2) * (turned - 0.5) / 0.5


@pytest.mark.parametrize("kind", ["free", "tied", "logits", "tiny float32"])
def test_pauc_is_the_official_definition(kind):
    for seed in range(CASES):
        truth, s, w = draw(seed, kind)
        assert abs(once(pauc_tpr80(truth, s), w) - official(truth, s, w)) < 1e-12, seed


def test_pauc_has_its_limits():
    truth = np.arange(50) < 5
    ones = np.ones(50)
    assert once(pauc_tpr80(truth, truth.astype(float)), ones) == pytest.approx(0.2, abs=1e-15)
    assert once(pauc_tpr80(truth, np.zeros(50)), ones) == pytest.approx(0.02, abs=1e-15)
    assert once(pauc_tpr80(truth, -truth.astype(float)), ones) == 0.0
    assert math.isnan(once(pauc_tpr80(truth & False, np.zeros(50)), ones))
    assert math.isnan(once(pauc_tpr80(truth | True, np.zeros(50)), ones))


def test_pauc_sees_only_the_order_and_rises_with_a_positive():
    for seed in range(100):
        truth, s, w = draw(seed, "free")
        value = once(pauc_tpr80(truth, s), w)
        assert once(pauc_tpr80(truth, np.exp(3 * s) - 7), w) == value
        better = s.copy()
        better[0] += 0.2
        assert once(pauc_tpr80(truth, better), w) >= value - 1e-15


def archive(truth, scores, weights):
    """`auc_sens_80` as the archive's scorer describes it: the curve from a point put in at a sensitivity of 0.8."""
    from sklearn.metrics import auc, roc_curve

    fpr, tpr, _ = roc_curve(truth, scores, sample_weight=weights, drop_intermediate=False)
    first = int(np.argmax(tpr >= 0.8))
    start = np.interp(0.8, tpr[first - 1 : first + 1], fpr[first - 1 : first + 1])
    return auc(np.concatenate([[start], fpr[first:]]), np.concatenate([[0.8], tpr[first:]]))


def test_the_archives_area_is_its_scorers():
    for seed in range(CASES):
        truth, s, w = draw(seed, "tied" if seed % 2 else "free")
        assert once(auc_sens80(truth, s), w) == pytest.approx(archive(truth, s, w), abs=1e-12), seed


def test_three_areas_above_80_percent_are_three_numbers():
    truth, s, w = draw(3, "free")
    p, y = np.stack([1 - s, s], axis=1), truth.astype(int)
    assert PAUC().value(y, p, w) <= 0.2 < ArchiveAUC().value(y, p, w)


def test_a_tie_is_undecided_and_rows_count_by_their_score_weight():
    p = np.array([[0.5, 0.5, 0.0], [0.9, 0.1, 0.0], [0.2, 0.7, 0.1], [0.6, 0.3, 0.1]])
    y, ones = np.array([0, 0, 1, 1]), np.ones(4)
    assert BalancedRecall().value(y, p, ones) == pytest.approx((1 / 2 + 1 / 2) / 2)
    known = BalancedRecall().given(Facts(columns={"score_weight": np.array([0.0, 1.0, 1.0, 3.0])}))
    assert known.value(y, p, ones) == pytest.approx((1 + 1 / 4) / 2)


def test_retrieval_counts_each_patients_highest():
    s = np.concatenate([np.linspace(1, 0, 20), [0.1]])
    y = np.zeros(21, dtype=int)
    y[[3, 17, 20]] = 1
    p = np.stack([1 - s, s], axis=1)
    groups = ["a"] * 20 + ["b"]
    metric = RetrievalSensitivity().given(Facts(groups=groups))
    assert metric.value(y, p, np.ones(21)) == pytest.approx(2 / 3)
    tied = RetrievalSensitivity(RetrievalSensitivity.Config(top=5)).given(Facts(groups=["a"] * 10))
    flat = np.full((10, 2), 0.5)
    assert tied.value(np.eye(10, dtype=int)[0], flat, np.ones(10)) == pytest.approx(0.5)


def test_retrieval_without_patients_says_what_it_needs():
    y, p = np.array([0, 1]), np.array([[0.6, 0.4], [0.3, 0.7]])
    found = score({"r": RetrievalSensitivity()}, y, p, ["a", "b"], seed=0, resamples=5)["r"]
    assert math.isnan(found.value)
    assert "which patient" in found.reason


def test_seven_points_and_when_to_refer():
    present = {name: np.array([False, True, i == 0]) for i, name in enumerate(POINTS)}
    assert total(present).tolist() == [0, 10, 2]
    assert suspicious(present).tolist() == [False, True, False]
    with pytest.raises(ValueError, match="without blue-whitish veil"):
        total({name: one for name, one in present.items() if name != "blue-whitish veil"})


def test_a_criterion_that_nobody_shows_is_undefined():
    found = criterion("veil", np.zeros(4, dtype=bool), np.array([0.1, 0.6, 0.2, 0.3]), np.ones(4))
    assert (found.specificity, found.precision) == (0.75, 0.0)
    assert math.isnan(found.sensitivity)
    assert math.isnan(found.auroc)
