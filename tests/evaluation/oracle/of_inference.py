"""Tests and intervals beside statsmodels, rocauc-comparison and MLstatkit, or their sums written out."""

from __future__ import annotations

import gc
from fractions import Fraction
from math import comb

import numpy as np
from comparing import DEFINITION, Comparison, apart, library
from scipy import stats

from skinframe.evaluation.delong import clustered_delong, delong
from skinframe.evaluation.hypothesis_tests import clustered_mcnemar, holm, mcnemar
from skinframe.evaluation.interval_methods import clopper_pearson

multitest = library("statsmodels.stats.multitest")
contingency, proportion = library("statsmodels.stats.contingency_tables"), library("statsmodels.stats.proportion")
compare_auc, mlstatkit = library("rocauc_comparison.delong"), library("MLstatkit")


def two_models(seed):
    random = np.random.default_rng((seed, 4))
    n = int(random.integers(4, 60))
    y = random.random(n) < 0.4
    y[:4] = True, True, False, False
    s = random.normal(size=(2, n)) + y
    return y, np.round(s) if seed % 2 else s, random


def covariance(seed):
    y, s, _ = two_models(seed)
    order = np.argsort(~y, kind="stable")
    areas, theirs = compare_auc.fastDeLong(s[:, order], int(y.sum()))
    ours = delong(y, s)
    return max(apart(ours.values, areas), apart(ours.covariance, theirs))


def p_of_two_areas(seed):
    y, s, _ = two_models(seed)
    ours = delong(y, s)
    if np.diff(ours.values)[0] == 0 or not ours.p_value() <= 1:
        return None  # no variance is seen: it draws a bootstrap instead
    found = mlstatkit.Delong_test(y.astype(int), *s, return_ci=False, return_auc=False)
    return apart(ours.p_value(), found[1])


def by_pairs(seed):
    """Obuchowski's sums, pair by pair and patient by patient."""
    y, s, random = two_models(seed)
    groups = [str(one) for one in random.integers(0, 1 + len(y) // 3, len(y))]
    ours = clustered_delong(y, s, groups)
    if np.isnan(ours.covariance).any():
        return None
    ill, well = np.flatnonzero(y), np.flatnonzero(~y)
    names = sorted(set(groups))
    sums = np.zeros((2, 2, len(names)))  # model, kind, patient
    for m, row in enumerate(s):
        wins = np.array([[(row[i] > row[j]) + (row[i] == row[j]) / 2 for j in well] for i in ill])
        for k, i in enumerate(ill):
            sums[m, 0, names.index(groups[i])] += wins[k].mean() - wins.mean()
        for k, j in enumerate(well):
            sums[m, 1, names.index(groups[j])] += wins[:, k].mean() - wins.mean()
    held = [len({groups[i] for i in rows}) for rows in (ill, well)]
    size, every = (len(ill), len(well)), len(names)
    wanted = np.zeros((2, 2))
    for a in range(2):
        for b in range(2):
            for kind in range(2):
                factor = held[kind] / (held[kind] - 1) / size[kind] ** 2
                wanted[a, b] += factor * sum(sums[a, kind] * sums[b, kind])
            cross = sum(sums[a, 0] * sums[b, 1]) + sum(sums[b, 0] * sums[a, 1])
            wanted[a, b] += every / (every - 1) * cross / (size[0] * size[1])
    return apart(ours.covariance, wanted)


def errors(seed):
    random = np.random.default_rng((seed, 6))
    return random.random((2, int(random.integers(1, 60)))) < random.random(), random


def mid_p_mcnemar(seed):
    (a, b), _ = errors(seed)
    table = [[int((a & b).sum()), int((a & ~b).sum())], [int((~a & b).sum()), int((~a & ~b).sum())]]
    n = table[0][1] + table[1][0]
    exact = contingency.mcnemar(table, exact=True).pvalue if n else 1.0
    low = min(table[0][1], table[1][0])
    # every count as far out or further, those as far out by half: both sides of a symmetric law
    mid = Fraction(2 * sum(comb(n, k) for k in range(low)) + comb(n, low), 2**n)
    ours = mcnemar(a, b).p
    return max(apart(ours, float(mid)), max(0.0, ours - exact))


def grouped_mcnemar(seed):
    (a, b), random = errors(seed)
    groups = [str(one) for one in random.integers(0, 1 + len(a) // 2, len(a))]
    shares = []
    for name in set(groups):
        rows = [i for i, one in enumerate(groups) if one == name]
        shares.append(sum(int(a[i]) - int(b[i]) for i in rows) / len(rows))
    spread = sum(one**2 for one in shares)
    return apart(clustered_mcnemar(a, b, groups).p, stats.chi2.sf(sum(shares) ** 2 / spread, 1) if spread else 1.0)


def adjusted(ours, method):
    def gap(seed):
        if seed == 0:
            gc.freeze()  # statsmodels' Holm collects garbage at each call, a third of a second with so much imported
        random = np.random.default_rng((seed, 2))
        p = np.round(random.random(int(random.integers(1, 20))) ** 3, int(random.integers(1, 6)))
        return apart(ours(p), multitest.multipletests(p, method=method)[1])

    return gap


def binomial(seed):
    random = np.random.default_rng((seed, 1))
    n, level = int(random.integers(1, 500)), float(random.choice([0.9, 0.95, 0.99]))
    hits = int(random.choice([0, n, random.integers(0, n + 1)]))
    theirs = proportion.proportion_confint(hits, n, alpha=1 - level, method="beta")
    return apart(clopper_pearson(hits, n, level), theirs)


COMPARISONS = (
    Comparison("DeLong, areas and covariance", "`fastDeLong`", "rocauc-comparison", covariance),
    Comparison("DeLong, p", "`Delong_test`", "mlstatkit", p_of_two_areas),
    Comparison("DeLong by groups", "Obuchowski's sums, pair by pair", DEFINITION, by_pairs),
    Comparison("McNemar, mid-p", "`mcnemar`", "statsmodels", mid_p_mcnemar),
    Comparison("McNemar by groups", "Durkalski's sums", DEFINITION, grouped_mcnemar),
    Comparison("Holm", "`multipletests`", "statsmodels", adjusted(holm, "holm")),
    Comparison("Clopper-Pearson", "`proportion_confint`", "statsmodels", binomial),
)
