"""Intervals of statistics that cannot leave a span: the jackknife read literally, and what happens at an end."""

from __future__ import annotations

import math

import numpy as np
import pytest
from skinframe_derm.metrics.isic2024 import PAUC, pauc_tpr80

from skinframe.evaluation.bootstrap import replicate
from skinframe.evaluation.interval_methods import interval
from skinframe.evaluation.scores_with_intervals import score
from skinframe.evaluation.subgroups import by_subgroup
from skinframe.weighted_statistics import bounded, mean_of, once


def draw(seed: int = 0, patients: int = 30) -> tuple[np.ndarray, np.ndarray, list[str]]:
    random = np.random.default_rng(seed)
    member = np.repeat(np.arange(patients), random.integers(1, 5, patients))
    truth = random.random(len(member)) < 0.3
    return truth, random.normal(size=len(member)) + 1.5 * truth, [str(one) for one in member]


def literal(truth: np.ndarray, scores: np.ndarray, groups: list[str]) -> tuple[float, float]:
    """Leave out each patient in turn, on the logit of the share of 0.2."""

    from scipy import stats

    def logit(kept: np.ndarray) -> float:
        share = once(pauc_tpr80(truth[kept], scores[kept]), np.ones(kept.sum())) / 0.2
        return math.log(share / (1 - share))

    group = np.array(groups)
    left = np.array([logit(group != one) for one in dict.fromkeys(groups)])
    whole, B = logit(np.ones(len(truth), dtype=bool)), len(left)
    d = left.mean() - left
    df = 2 * (d**2).sum() ** 2 / ((d**4).sum() - (d**2).sum() ** 2 / B)
    half = stats.t.ppf(0.975, df) * math.sqrt((d**2).sum() * (B - 1) / B)
    centre = B * whole - (B - 1) * left.mean()
    return 0.2 / (1 + math.exp(half - centre)), 0.2 / (1 + math.exp(-half - centre))


def test_the_isic_score_has_the_jackknifes_interval_on_the_logit_scale() -> None:
    for seed in range(5):
        truth, scores, groups = draw(seed)
        p = 1 / (1 + np.exp(-scores))
        found = score({"p": PAUC()}, truth.astype(int), np.stack([1 - p, p], axis=1), groups, seed=0, resamples=5)["p"]
        assert (found.low, found.high) == pytest.approx(literal(truth, p, groups), abs=1e-9)
        assert 0 < found.low < found.value < found.high < 0.2
        assert found.method == "95% jackknife interval on the logit scale, by groups"


def test_a_patients_images_repeated_change_nothing() -> None:
    truth, scores, groups = draw(1)
    ends = []
    for times in (1, 4):
        rows = np.repeat(np.arange(len(truth)), times)
        area = {"p": pauc_tpr80(truth[rows], scores[rows])}
        ends.append(interval(replicate(area, [groups[r] for r in rows], seed=0, resamples=5)["p"], 0.95)[:2])
    assert ends[0] == pytest.approx(ends[1], abs=1e-9)


@pytest.mark.parametrize("values", [[1.0] * 6, [0.0] * 6, [0.0] * 5 + [1.0]])
def test_at_an_end_of_the_span_the_bootstrap_answers(values: list[float]) -> None:
    """A logit is infinite there, for the whole sample or without one patient."""
    groups = [str(i) for i in range(6)]
    found = replicate({"m": bounded(mean_of(np.array(values)), 0.0, 1.0)}, groups, seed=0, resamples=50)["m"]
    low, high, method = interval(found, 0.95)
    assert "BCa" in method
    assert 0 <= low <= high <= 1


def test_a_subgroup_has_the_same_interval_as_its_samples_alone() -> None:
    truth, scores, groups = draw(2)
    p = 1 / (1 + np.exp(-scores))
    both = np.stack([1 - p, p], axis=1)
    names = ["a" if int(one) < 20 else "b" for one in groups]
    cells = by_subgroup("f", names, PAUC(), truth.astype(int), both, groups, seed=0, resamples=20, least=5).cells
    inside = np.array(names) == "a"
    alone = [one for one, kept in zip(groups, inside, strict=True) if kept]
    wanted = literal(truth[inside], p[inside], alone)
    # the other patients are left out too, which moves nothing but their count in the jackknife's factor
    assert (cells[0].low, cells[0].high) == pytest.approx(wanted, abs=0.003)
