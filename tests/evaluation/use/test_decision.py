"""Net benefit: its limits, and what another prevalence does to it."""

import numpy as np
import pytest

from skinframe.evaluation.use.decision import at_prevalence, net_benefit, thresholds, treat_all
from skinframe.weighted import once


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


def test_another_prevalence_is_what_a_set_drawn_there_would_say():
    """Corrected and re-weighted figures of an enriched set agree with a set of the other prevalence."""
    y, s, w = draw(0, n=60_000, share=0.4)
    law = s * 0.4 / (s * 0.4 + (1 - s) * 0.6)  # any map will do: both sets use the same scores
    moved = at_prevalence(law, 0.4, 0.05)
    there = np.random.default_rng(1).random(60_000) < np.where(y, 1.0, 1.0)
    keep = np.where(y, np.random.default_rng(2).random(60_000) < 0.05 / 0.95 * 0.6 / 0.4, there)
    rare = keep.astype(bool)
    for t in (0.02, 0.1, 0.2):
        enriched = once(net_benefit(y, moved, t, prevalence=0.05), w)
        natural = once(net_benefit(y[rare], moved[rare], t), np.ones(rare.sum()))
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
