"""Net benefit: its limits, and what another prevalence does to it."""

import numpy as np
import pytest

from skinframe.evaluation.decision_curves import at_prevalence, net_benefit, thresholds, treat_all
from skinframe.weighted_statistics import once


def draw(seed, n=300, share=0.3):
    random = np.random.default_rng(seed)
    y = random.random(n) < share
    return y, 1 / (1 + np.exp(-(2 * y - 1 + random.normal(size=n)))), np.ones(n)


def test_limits_of_the_curve():
    for seed in range(20):
        y, s, w = draw(seed)
        share = y.mean()
        assert once(net_benefit(y, s, 1e-12), w) == pytest.approx(share, abs=1e-9)
        assert once(net_benefit(y, y.astype(float), 0.3), w) == pytest.approx(share)
        assert once(net_benefit(y, np.ones(len(y)), 0.3), w) == pytest.approx(treat_all(0.3, share))
        assert once(net_benefit(y, np.zeros(len(y)), 0.3), w) == 0.0
        for t in thresholds(0.02, 0.6):
            assert once(net_benefit(y, s, t), w) <= share
            counts = (s >= t)[y].sum() / len(y) - (s >= t)[~y].sum() / len(y) * t / (1 - t)
            assert once(net_benefit(y, s, t), w) == pytest.approx(counts)
        assert treat_all(share, share) == pytest.approx(0, abs=1e-15)


def test_another_prevalence_moves_the_odds_by_the_ratio_of_the_priors():
    np.testing.assert_allclose(at_prevalence(np.array([0.5]), 0.5, 0.1), [0.1])
    np.testing.assert_allclose(at_prevalence(np.array([0.2, 0.5, 0.8]), 0.5, 0.2), [1 / 17, 0.2, 0.5])
    np.testing.assert_allclose(at_prevalence(np.array([0.0, 0.4, 1.0]), 0.4, 0.05), [0.0, 0.05, 1.0])


def test_another_prevalence_is_what_a_set_drawn_there_would_say():
    """Scores that are the law at 0.4 are, corrected, the law where 0.05 are positive, and so is their net benefit."""

    def drawn(seed, share):
        random = np.random.default_rng(seed)
        y = random.random(100_000) < share
        x = 2 * (random.normal(size=len(y)) + 2 * y - 1)  # the log ratio of densities N(1, 1) and N(-1, 1)
        return y, at_prevalence(0.4 / (0.4 + 0.6 * np.exp(-x)), 0.4, 0.05)

    (rich, moved), (y, there) = drawn(0, 0.4), drawn(1, 0.05)
    for part in np.array_split(np.argsort(there), 20)[10:]:
        error = np.sqrt((there[part] * (1 - there[part])).mean() / len(part))
        assert y[part].mean() == pytest.approx(there[part].mean(), abs=4 * error)
    for t in (0.02, 0.1, 0.2):
        enriched = once(net_benefit(rich, moved, t, prevalence=0.05), np.ones(len(rich)))
        natural = once(net_benefit(y, there, t), np.ones(len(y)))
        assert enriched == pytest.approx(natural, abs=0.004)


def test_prior_correction_keeps_order_and_is_undone():
    _, s, _ = draw(1)
    moved = at_prevalence(s, 0.3, 0.02)
    assert (np.argsort(moved) == np.argsort(s)).all()
    np.testing.assert_allclose(at_prevalence(moved, 0.02, 0.3), s)
    with pytest.raises(ValueError, match="prevalences must be in"):
        at_prevalence(s, 0.0, 0.1)
    with pytest.raises(ValueError, match="0 < low < high < 1"):
        thresholds(0.2, 0.1)


def test_a_prevalence_needs_both_kinds():
    s = np.array([0.2, 0.6])
    assert np.isnan(once(net_benefit(np.zeros(2), s, 0.1, prevalence=0.05), np.ones(2)))
