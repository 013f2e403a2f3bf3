"""Selective metrics beside torch-uncertainty and every order of ties; smooth ECE beside direct sums."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise, permutations, product

import numpy as np
import torch
from comparing import DEFINITION, Comparison, against, apart, case, copied, library
from scipy.optimize import brentq

from skinframe.evaluation.selective_prediction import AUGRC, AURC, ExcessAURC, risk_coverage
from skinframe.evaluation.smooth_ece import CELLS, SmoothECE

curves = library("torch_uncertainty.metrics.classification")


def error_rates(y, p):
    """torch-uncertainty's error rates among the 1, 2, ... surest; None where ties make them a matter of order."""
    if len(np.unique(p.max(1))) < len(y):
        return None
    metric = curves.AURC()
    metric.update(torch.from_numpy(p), torch.from_numpy(y))
    return metric.partial_compute().numpy()


def mean_of_rates(rates):
    return rates.mean()


def mean_less_best(rates):
    n = len(rates)
    errors = round(rates[-1] * n)
    perfect = np.cumsum(np.arange(n) >= n - errors) / np.arange(1, n + 1)
    return rates.mean() - perfect.mean()


def generalised(rates):
    kept = np.append(0.0, rates * np.arange(1, len(rates) + 1) / len(rates))
    return ((kept[1:] + kept[:-1]) / 2).mean()


def of_rates(kind, function):
    def gap(seed):
        y, p, _ = case(seed)
        rates = error_rates(y, p)
        return None if rates is None else apart(kind().value(y, p, np.ones(len(y))), function(rates))

    return gap


def whole_curve(seed):
    y, p, _ = case(seed)
    rates = error_rates(y, p)
    return None if rates is None else apart(risk_coverage(y, p)[1], rates)


def every_order(function):
    """Average over every order of the tied, in fractions, of at most seven samples."""

    def expected(y, p, w):
        y, p = copied(y, p, w)
        if len(y) > 7:
            return None
        c, wrong = p.max(1), [int(one) for one in p.argmax(1) != y]
        groups = [[wrong[i] for i in np.flatnonzero(c == level)] for level in np.unique(c)[::-1]]
        orders = [sum(one, ()) for one in product(*(list(permutations(group)) for group in groups))]
        return float(sum(function(one) for one in orders) / len(orders))

    return expected


def by_rank(order):
    return sum(Fraction(sum(order[: k + 1]), k + 1) for k in range(len(order))) / len(order)


def by_rank_less_best(order):
    return by_rank(order) - by_rank(sorted(order))


def by_share(order):
    kept = [Fraction(sum(order[:k]), len(order)) for k in range(len(order) + 1)]
    return sum((a + b) / 2 for a, b in pairwise(kept)) / len(order)


def smooth(y, p, w):
    """The fixed point where residuals, shared between two of 1,024 cells, are smoothed by a Gaussian and its images."""
    c, r = p.max(1), w * ((p.argmax(1) == y) - p.max(1)) / w.sum()
    position = np.clip(c * CELLS - 0.5, 0, CELLS - 1)
    low = np.minimum(position.astype(int), CELLS - 2)
    held = np.zeros(CELLS)
    np.add.at(held, low, r * (1 - position + low))
    np.add.at(held, low + 1, r * (position - low))
    if np.abs(held).sum() < 1e-9:
        return 0.0
    used = np.flatnonzero(held)
    t, u = (np.arange(CELLS) + 0.5) / CELLS, (used + 0.5) / CELLS

    def excess(sigma):
        images = [sign * u + 2 * shift for shift in range(-3, 4) for sign in (1, -1)]
        kernel = sum(np.exp(-(((t[:, None] - one) / sigma) ** 2) / 2) for one in images if _near(one, sigma))
        return np.abs(kernel @ held[used]).mean() / sigma / np.sqrt(2 * np.pi) - sigma

    # narrower kernels than three cells are not told from the grid
    return brentq(excess, 3 / CELLS, 1, xtol=1e-13) if excess(3 / CELLS) > 0 else None


def _near(centres, sigma):
    return centres.max() > -9 * sigma and centres.min() < 1 + 9 * sigma


TORCH, UNTIED = "torch-uncertainty", "error rates of `AURC`, no ties"
COMPARISONS = (
    Comparison("risk-coverage curve", UNTIED, TORCH, whole_curve),
    Comparison("aurc", f"mean of the {UNTIED}", TORCH, of_rates(AURC, mean_of_rates)),
    Comparison("excess_aurc", f"mean of the {UNTIED}, less the best", TORCH, of_rates(ExcessAURC, mean_less_best)),
    Comparison("augrc", f"trapezoids of the {UNTIED}", TORCH, of_rates(AUGRC, generalised)),
    against(AURC, "every order of ties, in fractions", DEFINITION, every_order(by_rank), most=6),
    against(ExcessAURC, "every order of ties, in fractions", DEFINITION, every_order(by_rank_less_best), most=6),
    against(AUGRC, "every order of ties, in fractions", DEFINITION, every_order(by_share), most=6),
    against(SmoothECE, "direct sum of the kernel on the same grid", DEFINITION, smooth, most=12),
)
