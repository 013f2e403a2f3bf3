"""Intervals resample groups, are deterministic, and hold the truth as often as they say."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skinframe.components import Metric
from skinframe.evaluation.bootstrap import Replicates, replicate
from skinframe.evaluation.calibration_error import ECE
from skinframe.evaluation.discrimination import Accuracy, MacroAUROC
from skinframe.evaluation.interval_methods import bounds, degrees_of_freedom
from skinframe.evaluation.metric_registration import METRICS
from skinframe.evaluation.proper_scores import NLL
from skinframe.evaluation.scores_with_intervals import paired_difference, score
from skinframe.evaluation.softmax import softmax
from skinframe.weighted_statistics import mean_of

ALL = {kind.name: kind() for kind in METRICS if kind.by_default}


def case(seed=0, n=240, classes=4, per_group=3, skill=1.5):
    """Probabilities that are right about their own uncertainty, in groups."""
    random = np.random.default_rng(seed)
    probabilities = softmax(random.normal(size=(n, classes)) * skill)
    labels = (random.random(n)[:, None] >= np.cumsum(probabilities, axis=1)[:, :-1]).sum(axis=1)
    return labels, probabilities, [f"patient:{row // per_group}" for row in range(n)]


def test_the_same_seed_gives_the_same_bits_and_another_does_not():
    labels, probabilities, groups = case()
    first = score(ALL, labels, probabilities, groups, seed=1, resamples=200)
    assert first == score(ALL, labels, probabilities, groups, seed=1, resamples=200)
    assert first["nll"].low != score(ALL, labels, probabilities, groups, seed=2, resamples=200)["nll"].low


@pytest.mark.parametrize("name", ALL)
def test_the_interval_holds_the_value_and_says_how_it_was_made(name):
    labels, probabilities, groups = case()
    found = score({name: ALL[name]}, labels, probabilities, groups, seed=1)[name]
    assert found.low < found.value < found.high
    assert (found.n, found.n_groups) == (240, 80)
    assert ("Korn-Graubard" if name == "accuracy" else "1,000 resamples") in found.method
    assert (found.floor is not None) == ALL[name].has_floor


def test_metrics_share_their_resamples_whatever_else_is_asked():
    labels, probabilities, groups = case()
    alone = score({"nll": NLL()}, labels, probabilities, groups, seed=1, resamples=100)["nll"]
    assert alone == score(ALL, labels, probabilities, groups, seed=1, resamples=100)["nll"]


def test_lesions_that_repeat_within_a_patient_carry_no_more_weight_than_the_patient():
    labels, probabilities, _ = case(n=100, per_group=1)
    alone = score(ALL, labels, probabilities, [str(row) for row in range(100)], seed=1, resamples=300)
    rows = np.tile(np.arange(100), 5)
    copied = score(ALL, labels[rows], probabilities[rows], [str(row) for row in rows], seed=1, resamples=300)
    naive = score(ALL, labels[rows], probabilities[rows], [str(i) for i in range(500)], seed=1, resamples=300)
    for name in ("accuracy", "nll", "macro_auroc"):
        assert copied[name].low == pytest.approx(alone[name].low, abs=1e-9)
        assert copied[name].high == pytest.approx(alone[name].high, abs=1e-9)
        assert naive[name].high - naive[name].low < 0.6 * (alone[name].high - alone[name].low)


def test_intervals_of_correlated_lesions_cover_and_image_intervals_do_not():
    """A short version of tests/benchmarks/interval_coverage.py for a mean, where the law is known exactly."""
    held = {"patients": 0, "images": 0}
    for seed in range(200):
        random = np.random.default_rng(seed)
        values = np.repeat(random.normal(size=40), 6) + random.normal(size=240) * 0.7
        for level, size in (("patients", 6), ("images", 1)):
            groups = [str(row // size) for row in range(240)]
            low, high = bounds(replicate({"m": mean_of(values)}, groups, seed=seed, resamples=400)["m"], 0.95)
            held[level] += low <= 0.0 <= high
    assert 184 <= held["patients"] <= 198
    assert held["images"] < 150


def test_a_plugin_metric_without_the_fast_path_gives_the_same():
    class Plain(Metric):
        name = "plain"

        def value(self, labels, probabilities, weights):
            losses = -np.log(probabilities[np.arange(len(labels)), labels])
            return float(np.average(losses, weights=weights))

    labels, probabilities, groups = case()
    slow = score({"m": Plain()}, labels, probabilities, groups, seed=3, resamples=200)["m"]
    fast = score({"m": NLL()}, labels, probabilities, groups, seed=3, resamples=200)["m"]
    assert (slow.value, slow.low, slow.high) == pytest.approx((fast.value, fast.low, fast.high), abs=1e-12)


def test_the_draws_do_not_depend_on_how_they_are_cut(monkeypatch):
    labels, probabilities, groups = case()
    statistic = {"m": NLL().over(labels, probabilities)}
    whole = replicate(statistic, groups, seed=5, resamples=50)["m"].resampled
    monkeypatch.setattr("skinframe.evaluation.bootstrap.CHUNK", 240 * 7)
    np.testing.assert_allclose(replicate(statistic, groups, seed=5, resamples=50)["m"].resampled, whole, atol=1e-12)


def test_every_group_is_drawn_as_often_as_any_other():
    """The first and the last included: multiplicities have mean 1, sum to the number of groups, and reach 0 and 3."""
    groups = [f"g{number}" for number in range(5) for _ in range(2)]
    first_rows = [lambda weights, row=row: weights[:, row] for row in range(0, 10, 2)]
    drawn = replicate({str(i): one for i, one in enumerate(first_rows)}, groups, seed=0, resamples=4000)
    times = np.stack([drawn[str(i)].resampled for i in range(5)])
    np.testing.assert_array_equal(times.sum(axis=0), 5)
    np.testing.assert_allclose(times.mean(axis=1), 1, atol=5 * math.sqrt(0.8 / 4000))
    assert (times.min(axis=1) == 0).all()
    assert (times.max(axis=1) >= 3).all()


def test_many_groups_are_left_out_in_blocks():
    labels, probabilities, groups = case(n=600, per_group=1)
    found = replicate({"m": NLL().over(labels, probabilities)}, groups, seed=5, resamples=10, blocks=30)["m"]
    assert len(found.left_out) == 30
    assert np.ptp(found.left_out) > 0


@settings(max_examples=30, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), level=st.floats(0.5, 0.98))
def test_a_higher_level_gives_a_wider_interval(seed, level):
    random = np.random.default_rng(seed)
    found = Replicates(0.0, random.normal(size=400), random.normal(size=50) * 0.1)
    low, high = bounds(found, level)
    wider = bounds(found, level + 0.015)
    assert wider[0] <= low <= high <= wider[1]


def test_degrees_of_freedom_follow_how_few_groups_matter():
    random = np.random.default_rng(0)
    assert degrees_of_freedom(random.normal(size=4000)) == pytest.approx(4000, rel=0.15)
    lonely = np.zeros(200)
    lonely[:3] = (1.0, -1.0, 0.8)
    assert degrees_of_freedom(lonely) < 6


def test_identical_systems_differ_by_nothing():
    labels, probabilities, groups = case()
    found = paired_difference(NLL(), labels, probabilities, probabilities, groups, seed=1, resamples=200)
    assert (found.value, found.low, found.high, found.p) == (0.0, 0.0, 0.0, 1.0)


def test_differences_have_a_sign_and_p_agrees_with_the_interval():
    labels, probabilities, groups = case()
    worse = 0.5 * probabilities + 0.5 / 4
    ab = paired_difference(NLL(), labels, probabilities, worse, groups, seed=1)
    ba = paired_difference(NLL(), labels, worse, probabilities, groups, seed=1)
    assert ab.high < 0 < ba.low
    assert ab.value == pytest.approx(-ba.value)
    assert ab.p == pytest.approx(ba.p)
    assert 2 / 1001 <= ab.p < 0.005


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6))
def test_p_is_below_a_twentieth_just_where_the_interval_leaves_out_zero(seed):
    labels, probabilities, groups = case(seed=seed, n=90)
    other = softmax(np.log(probabilities) + np.random.default_rng(seed + 1).normal(size=probabilities.shape) * 0.4)
    found = paired_difference(NLL(), labels, probabilities, other, groups, seed=1, resamples=400)
    outside = not found.low <= 0 <= found.high
    assert (found.p < 0.05) == outside or found.p == pytest.approx(0.05, abs=0.01)


def test_pairing_is_worth_it():
    labels, probabilities, groups = case()
    close = softmax(np.log(probabilities) * 0.9)
    paired = paired_difference(NLL(), labels, probabilities, close, groups, seed=1)
    single = score({"nll": NLL()}, labels, probabilities, groups, seed=1)["nll"]
    assert paired.high - paired.low < 0.5 * (single.high - single.low)


def test_what_makes_an_interval_doubtful_is_said():
    labels, probabilities, _ = case(n=12)
    alone = [str(i) for i in range(12)]
    few = score({"m": MacroAUROC()}, labels, probabilities, ["a"] * 6 + ["b"] * 6, seed=1, resamples=50)["m"]
    assert any("only 2 groups" in text for text in few.warnings)
    right = score({"m": MacroAUROC()}, labels, np.eye(4)[labels], alone, seed=1, resamples=50)["m"]
    assert any("all resamples agree" in text for text in right.warnings)
    two = score({"m": Accuracy()}, labels % 2, probabilities, alone, seed=1, resamples=50)["m"]
    assert any("2 of 4 classes have no sample" in text for text in two.warnings)


def test_a_single_class_or_group_or_nothing_is_undefined_and_does_not_fail():
    labels, probabilities, groups = case(n=12)
    lone = score(ALL, labels, probabilities, ["a"] * 12, seed=1, resamples=20)
    assert math.isnan(lone["nll"].low)
    single = score(ALL, np.zeros(12, dtype=int), probabilities, groups, seed=1, resamples=20)["macro_auroc"]
    assert math.isnan(single.value)
    assert math.isnan(single.low)
    empty = score(ALL, labels[:0], probabilities[:0], [], seed=1, resamples=20)
    assert all(math.isnan(found.value) and math.isnan(found.high) for found in empty.values())


def test_what_does_not_fit_is_refused():
    labels, probabilities, groups = case(n=12)
    with pytest.raises(ValueError, match="do not fit together"):
        score(ALL, labels, probabilities, groups[:-1], seed=1)
    with pytest.raises(ValueError, match=r"labels must be in \[0, 4\)"):
        score(ALL, labels - 1, probabilities, groups, seed=1)
    with pytest.raises(ValueError, match="probabilities must be finite"):
        score(ALL, labels, probabilities * np.nan, groups, seed=1)


def test_the_floor_is_what_a_calibrated_model_scores():
    labels, probabilities, groups = case(n=1000, per_group=1)
    honest = score({"ece": ECE()}, labels, probabilities, groups, seed=1)["ece"]
    assert honest.floor.mean < honest.floor.upper
    assert honest.value < 1.5 * honest.floor.upper
    sure = score({"ece": ECE()}, labels, softmax(np.log(probabilities) * 3), groups, seed=1)["ece"]
    assert sure.value > sure.floor.upper
    assert sure.floor.p == pytest.approx(1 / 1001)


def test_the_floor_test_errs_as_often_as_it_says():
    rejected = 0
    for seed in range(100):
        labels, probabilities, groups = case(seed=seed, n=150, per_group=1)
        rejected += score({"ece": ECE()}, labels, probabilities, groups, seed=seed, resamples=99)["ece"].floor.p <= 0.1
    assert 2 <= rejected <= 20


def test_images_of_one_lesion_share_a_diagnosis_in_the_floor():
    _, probabilities, _ = case(n=50, per_group=1)
    rows = np.repeat(np.arange(50), 8)
    unit = [str(row) for row in rows]
    labels = np.repeat(np.arange(50) % 4, 8)
    apart = score({"e": ECE()}, labels, probabilities[rows], unit, seed=1, resamples=100)["e"].floor
    shared = score({"e": ECE()}, labels, probabilities[rows], unit, seed=1, resamples=100, same_label=unit)["e"].floor
    assert shared.mean > 1.5 * apart.mean
