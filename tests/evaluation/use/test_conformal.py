"""Sets hold what they promise: nested, large enough where they are fitted, and for new patients as the law says."""

import math

import numpy as np
import pytest

from skinframe.evaluation.conformal import coverage_band, fit, fit_one_a_group, oddness, quantile


def draw(seed, n=400, classes=4):
    random = np.random.default_rng(seed)
    p = random.dirichlet(np.ones(classes) * 0.6, n)
    bent = p**1.6 / (p**1.6).sum(axis=1, keepdims=True)
    return (random.random(n)[:, None] >= np.cumsum(p, axis=1)[:, :-1]).sum(axis=1), bent


@pytest.mark.parametrize("kind", ["lac", "aps", "raps"])
@pytest.mark.parametrize("by_class", [False, True])
def test_sets_are_nested_and_cover_where_they_are_fitted(kind, by_class):
    for seed in range(20):
        y, p = draw(seed, n=120)
        last = None
        for alpha in (0.4, 0.2, 0.1, 0.02):
            sets = fit(y, p, alpha=alpha, kind=kind, by_class=by_class).sets(p)
            hit = sets[np.arange(len(y)), y]
            assert hit.mean() >= 1 - alpha
            if by_class:
                assert all(hit[y == c].mean() >= 1 - alpha for c in range(4) if (y == c).any())
            assert last is None or (sets >= last).all()
            last = sets


@pytest.mark.parametrize("kind", ["lac", "aps"])
def test_coverage_of_new_samples_is_the_promise_and_follows_its_law(kind):
    found, inside = [], 0
    low, high = coverage_band(100, 0.1)
    for seed in range(150):
        y, p = draw(seed, n=3100)
        rule = fit(y[:100], p[:100], alpha=0.1, kind=kind)
        found.append(rule.sets(p[100:])[np.arange(3000), y[100:]].mean())
        inside += low - 0.01 <= found[-1] <= high + 0.01
    assert 0.895 < np.mean(found) < 0.93
    assert inside > 0.9 * 150


def test_too_few_to_promise_anything_give_every_class():
    y, p = draw(0, n=5)
    rule = fit(y, p, alpha=0.1)
    assert math.isinf(rule.thresholds[0])
    assert rule.sets(p).all()
    assert coverage_band(5, 0.1) == (1.0, 1.0)


def test_quantile_is_the_rank_that_split_conformal_asks_for():
    assert quantile(np.arange(1.0, 10.0), 0.1) == 9.0
    assert quantile(np.arange(1.0, 9.0), 0.1) == math.inf
    assert quantile(np.arange(1.0, 20.0), 0.2) == 16.0


def test_scores_are_the_formulas():
    p = np.array([[0.5, 0.2, 0.3]])
    np.testing.assert_allclose(oddness(p, "lac"), [[0.5, 0.8, 0.7]])
    np.testing.assert_allclose(oddness(p, "aps"), [[0.5, 1.0, 0.8]])
    np.testing.assert_allclose(oddness(p, "raps"), [[0.5, 1.01, 0.8]])


def test_one_sample_a_patient_covers_where_a_talkative_patient_would_mislead():
    """One patient with many odd lesions fills the calibration set; the typical patient is another."""
    y, p = draw(3, n=60)
    many = np.argmin(p, axis=1)[:1].repeat(200)
    labels, probabilities = np.concatenate([y, many]), np.concatenate([p, p[:1].repeat(200, axis=0)])
    groups = [str(i) for i in range(60)] + ["x"] * 200
    plain = fit(labels, probabilities, alpha=0.2)
    fair = fit_one_a_group(labels, probabilities, groups, alpha=0.2, seed=0)
    alone = fit(y, p, alpha=0.2)
    assert plain.thresholds[0] > fair.thresholds[0]
    assert fair.thresholds[0] == pytest.approx(alone.thresholds[0], abs=0.03)
    assert fair.counts[0] == 61


def test_many_draws_of_one_image_a_patient_cover_about_nine_in_ten():
    """What the report says of them: about 1 - alpha in simulation, and never near the proven 1 - 2 alpha."""
    found = []
    for seed in range(40):
        random = np.random.default_rng(seed)
        y, p = draw(seed, n=2060)
        rows = np.repeat(np.arange(60), random.integers(1, 6, 60))  # a patient's images are copies of one lesion
        rule = fit_one_a_group(y[rows], p[rows], list(map(str, rows)), alpha=0.1, seed=seed, rounds=20)
        found.append(rule.sets(p[60:])[np.arange(2000), y[60:]].mean())
    assert 0.88 < np.mean(found) < 0.94


def test_alpha_is_a_share():
    with pytest.raises(ValueError, match="alpha is the share"):
        fit(*draw(0), alpha=1.0)
