"""Calibration and selective metrics equal slow, literal readings of their formulas on a thousand random cases."""

import math

import numpy as np
import pytest
from measure_cases import COUNTS, case, copied

from skinframe.evaluation.calibration_error import (
    ECE,
    MCE,
    DebiasedL2,
    ECEClasswise,
    ECEMass,
    Overconfidence,
    Underconfidence,
)
from skinframe.evaluation.proper_scores import Brier, BrierDSC, BrierMCB, BrierUNC
from skinframe.evaluation.selective_prediction import AUGRC, AURC, ExcessAURC


def top(y, p):
    return p.max(1), (p.argmax(1) == y).astype(float)


def width_bins(c, bins=15):
    return [(c > b / bins) & (c <= (b + 1) / bins) for b in range(bins)]


def mass_bins(c, bins=15):
    """Ranks with ties at their middle, as whole numbers so that no edge is a matter of rounding."""
    twice_middle = np.array([2 * (c < one).sum() + (c == one).sum() for one in c])
    return [twice_middle * bins // (2 * len(c)) == b for b in range(bins)]


def ece_mass(y, p):
    c, a = top(y, p)
    return sum(abs((a - c)[inside].sum()) for inside in mass_bins(c)) / len(y)


def classwise(y, p):
    classes = p.shape[1]
    total = 0.0
    for k in range(classes):
        inside = [(p[:, k] <= 1 / 15), *width_bins(p[:, k])[1:]]
        total += sum(abs(((y == k) - p[:, k])[one].sum()) for one in inside) / len(y)
    return total / classes


def mce(y, p):
    c, a = top(y, p)
    return max(abs((a - c)[inside].mean()) for inside in width_bins(c) if inside.any())


def one_sided(sign):
    def expected(y, p):
        c, a = top(y, p)
        return sum(max(0.0, sign * (a - c)[inside].sum()) for inside in width_bins(c)) / len(y)

    return expected


def debiased(y, p):
    c, a = top(y, p)
    found = 0.0
    for inside in mass_bins(c):
        r, n = (a - c)[inside], inside.sum()
        if n > 1:
            found += n / len(y) * (r.mean() ** 2 - r.var(ddof=1) / n)
    return found


def brier_part(part):
    def expected(y, p):
        from scipy.optimize import isotonic_regression

        total = 0.0
        for k in range(p.shape[1]):
            _, place = np.unique(p[:, k], return_inverse=True)
            count = np.bincount(place)
            share = np.bincount(place, weights=y == k) / count
            fitted = isotonic_regression(share, weights=count).x[place]
            given, best, flat = (np.mean((q - (y == k)) ** 2) for q in (p[:, k], fitted, (y == k).mean()))
            total += part(given, best, flat)
        return total

    return expected


def sure_first(y, p, tries=None):
    """Return the errors from the surest down, ties replaced by their mean: what a random order gives on average."""
    c, a = top(y, p)
    wrong = np.array([(1 - a)[c == one].mean() for one in c])
    return wrong[np.argsort(-c, kind="stable")]


def aurc(y, p):
    wrong = sure_first(y, p)
    return np.mean(np.cumsum(wrong) / np.arange(1, len(y) + 1))


def excess(y, p):
    best = np.sort(1 - top(y, p)[1])
    return aurc(y, p) - np.mean(np.cumsum(best) / np.arange(1, len(y) + 1))


def augrc(y, p):
    wrong = sure_first(y, p)
    kept = np.concatenate([[0.0], np.cumsum(wrong)]) / len(y)
    return np.mean((kept[1:] + kept[:-1]) / 2)


FORMULAS = {
    ECEMass: ece_mass,
    ECEClasswise: classwise,
    MCE: mce,
    Overconfidence: one_sided(-1),
    Underconfidence: one_sided(1),
    DebiasedL2: debiased,
    BrierMCB: brier_part(lambda given, best, flat: given - best),
    BrierDSC: brier_part(lambda given, best, flat: flat - best),
    BrierUNC: brier_part(lambda given, best, flat: flat),
    AURC: aurc,
    ExcessAURC: excess,
    AUGRC: augrc,
}


@pytest.mark.parametrize("kind", FORMULAS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("count", COUNTS)
def test_equals_its_formula_and_weights_are_copies(kind, count):
    for seed in range(count):
        y, p, w = case(seed)
        wanted = FORMULAS[kind](*copied(y, p, w))
        assert kind().value(y, p, w) == pytest.approx(wanted, abs=1e-9), seed


def test_the_parts_of_the_brier_score_add_up_and_are_not_negative():
    for seed in range(200):
        y, p, w = case(seed)
        mcb, dsc, unc, whole = (kind().value(y, p, w) for kind in (BrierMCB, BrierDSC, BrierUNC, Brier))
        assert whole == pytest.approx(mcb - dsc + unc, abs=1e-12)
        assert min(mcb, dsc) >= -1e-12


def test_over_and_underconfidence_add_up_to_ece():
    for seed in range(200):
        y, p, w = case(seed)
        split = Overconfidence().value(y, p, w) + Underconfidence().value(y, p, w)
        assert split == pytest.approx(ECE().value(y, p, w), abs=1e-12)


def exact_zero():
    """3 of 4 right at 0.75 and 4 of 5 at 0.8: every sum of w(c) (hit - c) is exactly 0, though ties abound."""
    sure = np.array([0.75] * 4 + [0.8] * 5)
    labels = np.array([0, 0, 0, 1, 0, 0, 0, 0, 1])
    return labels, np.stack([sure, 1 - sure], axis=1), np.ones(9)


@pytest.mark.parametrize("kind", [ECEMass, MCE, Overconfidence, Underconfidence, ECEClasswise], ids=lambda k: k.name)
def test_what_is_calibrated_level_by_level_has_no_error(kind):
    assert abs(kind().value(*exact_zero())) < 1e-12
    assert Brier().value(*exact_zero()) > 0.1


def test_the_debiased_error_is_centred_on_zero_where_ece_is_not():
    found = []
    for seed in range(300):
        random = np.random.default_rng(seed)
        p = random.dirichlet(np.ones(4) * 0.4, 200)
        y = (random.random(200)[:, None] >= np.cumsum(p, axis=1)[:, :-1]).sum(axis=1)
        found.append([kind().value(y, p, np.ones(200)) for kind in (DebiasedL2, ECEMass)])
    mean, error = np.mean(found, axis=0), np.std(found, axis=0) / math.sqrt(300)
    assert abs(mean[0]) < 3 * error[0]
    assert mean[1] > 20 * error[1]
