"""Calibration errors beside netcal, scikit-learn, torchmetrics and model-diagnostics, or their formula in fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import torch
from comparing import DEFINITION, Comparison, against, apart, case, copied, library
from sklearn.calibration import calibration_curve

from skinframe.evaluation.calibration_error import (
    ECE,
    MCE,
    DebiasedL2,
    ECEClasswise,
    ECEMass,
    Overconfidence,
    Underconfidence,
)
from skinframe.evaluation.proper_scores import BrierDSC, BrierMCB, BrierUNC
from skinframe.evaluation.reliability import reliability

netcal = library("netcal.metrics")
scoring = library("model_diagnostics.scoring")
torchmetrics = library("torchmetrics.functional.classification")
BINS = 15
EDGES = np.arange(1, BINS) / BINS


def top(y, p):
    return p.max(1), (p.argmax(1) == y).astype(float)


def off_edges(c):
    """Say whether no score lies on a bin's edge, where libraries differ in the side that is closed (see the traps)."""
    return np.abs(c.reshape(-1, 1) - EDGES).min() > 1e-9


def netcals(function, **options):
    """netcal of the top class, given as one column of confidence beside whether it was right."""

    def expected(y, p, w):
        c, hit = top(*copied(y, p, w))
        return function(BINS, **options).measure(c, hit) if off_edges(c) else None

    return expected


def netcals_by_class(y, p, w):
    y, p = copied(y, p, w)
    if not off_edges(p):
        return None
    return np.mean([netcal.ECE(BINS).measure(p[:, c], (y == c).astype(float)) for c in range(p.shape[1])])


def torchs(y, p, w):
    """Nothing where a confidence is 1, which goes to a bin of its own."""
    y, p = copied(y, p, w)
    c = p.max(1)
    if not off_edges(c) or c.astype(np.float32).max() >= 1:
        return None
    found = torchmetrics.multiclass_calibration_error(torch.from_numpy(p), torch.from_numpy(y), p.shape[1], BINS)
    return float(found)


def diagram(seed):
    """The reliability diagram's bins."""
    y, p, _ = case(seed)
    c, hit = top(y, p)
    if not off_edges(c):
        return None
    bins = reliability(y, p, seed=0, draws=1)
    right, sure = calibration_curve(hit, c, n_bins=BINS, pos_label=1)
    count = np.histogram(c, np.arange(BINS + 1) / BINS)[0]
    ours = np.array([(b.accuracy, b.confidence, b.count) for b in bins])
    return apart(ours, np.stack([right, sure, count[count > 0]], axis=1))


def equal_mass_without_ties(seed):
    """netcal's quantiles cut where ours do if no score is tied and the bins fill up evenly."""
    random = np.random.default_rng((seed, 5))
    p = random.dirichlet(np.ones(3) * random.choice([0.3, 2.0]), BINS * int(random.integers(1, 5)))
    y = random.integers(0, 3, len(p))
    c, hit = top(y, p)
    if len(np.unique(c)) < len(c):
        return None
    return apart(ECEMass().value(y, p, np.ones(len(y))), netcal.ECE(BINS, equal_intervals=False).measure(c, hit))


def corp(part):
    """Nothing for one sample, which it refuses, and for scores so close that scikit-learn's isotonic fit ties them.

    Rows are repeated by their weight: with a weight of 0 and an empty class it gives NaN.
    """

    def expected(y, p, w):
        y, p = copied(y, p, w)
        steps = np.diff(np.sort(p, axis=0), axis=0)
        if len(y) < 2 or steps[steps > 0].min(initial=1.0) < 1e-12:
            return None
        return sum(
            scoring.decompose((y == c).astype(float), p[:, c], scoring_function=scoring.SquaredError())[part].item()
            for c in range(p.shape[1])
        )

    return expected


def residuals(y, p, w, by_mass):
    """Return the exact residuals of each bin, as fractions; bins of equal mass hold ties together by their middle."""
    c, hit = top(*copied(y, p, w))
    if by_mass:
        place = [int(((c < one).sum() * 2 + (c == one).sum()) * BINS // (2 * len(c))) for one in c]
    else:
        place = [sum(one > edge for edge in EDGES) for one in c]
    gaps = [Fraction(float(h)) - Fraction(float(one)) for h, one in zip(hit, c, strict=True)]
    return [[r for r, b in zip(gaps, place, strict=True) if b == k] for k in range(BINS)], len(c)


def sided(sign):
    def expected(y, p, w):
        bins, n = residuals(y, p, w, by_mass=False)
        return float(sum(max(Fraction(0), sign * sum(one, Fraction(0))) for one in bins) / n)

    return expected


def exact_ece(by_mass):
    def expected(y, p, w):
        bins, n = residuals(y, p, w, by_mass)
        return float(sum(abs(sum(one, Fraction(0))) for one in bins) / n)

    return expected


def largest(y, p, w):
    bins, _ = residuals(y, p, w, by_mass=False)
    return float(max(abs(sum(one) / len(one)) for one in bins if one))


def debiased(y, p, w):
    bins, n = residuals(y, p, w, by_mass=True)
    found = Fraction(0)
    for one in (one for one in bins if len(one) > 1):
        mean = sum(one) / len(one)
        variance = sum((r - mean) ** 2 for r in one) / (len(one) - 1)
        found += len(one) * (mean**2 - variance / len(one))
    return float(found / n)


def by_class(y, p, w):
    y, p = copied(y, p, w)
    total = Fraction(0)
    for c in range(p.shape[1]):
        place = (p[:, c : c + 1] > EDGES).sum(axis=1)
        for b in range(BINS):
            rows = np.flatnonzero(place == b)
            total += abs(sum((Fraction(int(y[i] == c)) - Fraction(float(p[i, c])) for i in rows), Fraction(0)))
    return float(total / len(y) / p.shape[1])


COMPARISONS = (
    against(ECE, "`ECE`, off the edges", "netcal", netcals(netcal.ECE)),
    against(ECE, "`multiclass_calibration_error`, off the edges, below 1", "torchmetrics", torchs, within=2e-6),
    against(ECE, "exact fractions", DEFINITION, exact_ece(by_mass=False)),
    Comparison("reliability diagram", "`calibration_curve`, off the edges", "scikit-learn", diagram),
    Comparison("ece_mass", "`ECE(equal_intervals=False)`, no ties", "netcal", equal_mass_without_ties),
    against(ECEMass, "exact fractions", DEFINITION, exact_ece(by_mass=True)),
    against(ECEClasswise, "`ECE` by class, off the edges", "netcal", netcals_by_class),
    against(ECEClasswise, "exact fractions", DEFINITION, by_class),
    against(MCE, "`MCE`, off the edges", "netcal", netcals(netcal.MCE)),
    against(MCE, "exact fractions", DEFINITION, largest),
    against(Overconfidence, "exact fractions", DEFINITION, sided(-1)),
    against(Underconfidence, "exact fractions", DEFINITION, sided(1)),
    against(DebiasedL2, "exact fractions", DEFINITION, debiased),
    against(BrierMCB, "`decompose` by class", "model-diagnostics", corp("miscalibration")),
    against(BrierDSC, "`decompose` by class", "model-diagnostics", corp("discrimination")),
    against(BrierUNC, "`decompose` by class", "model-diagnostics", corp("uncertainty")),
)
