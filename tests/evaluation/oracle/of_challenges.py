"""The ISIC challenges' metrics: scikit-learn, and the definitions in fractions."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise, permutations

import numpy as np
from comparing import DEFINITION, Comparison, against, apart, case, copied
from skinframe_derm.metrics.isic2024 import PAUC, RetrievalSensitivity, pauc_tpr80
from skinframe_derm.metrics.isic_archive import ArchiveAUC, BalancedRecall
from sklearn.metrics import roc_auc_score

from skinframe.components import Facts
from skinframe.weighted_statistics import once

EXACT = 1e-12
FIFTH = Fraction(4, 5)
RANGES = ("free", "tied", "logits", "float32 probabilities")


def scored(seed, kind):
    """Truth with both kinds, scores in one of the ranges that submissions come in, and whole weights."""
    random = np.random.default_rng((seed, RANGES.index(kind)))
    n = int(random.integers(2, 60))
    truth = random.random(n) < random.choice([0.05, 0.3, 0.7])
    truth[:2] = True, False
    logits = random.normal(size=n) * random.choice([1.0, 8.0, 100.0]) + truth
    s = {
        "free": random.random(n),
        "tied": random.integers(0, random.choice([1, 3, 9]) + 1, n) / 10,
        "logits": logits,
        # saturated: many are exactly 0 or 1, or smaller than float32's step at 1
        "float32 probabilities": (1 / (1 + np.exp(-np.clip(3 * logits, -80, 80)))).astype(np.float32),
    }[kind]
    return truth, s, random.integers(1, 4, n).astype(float)


def official(truth, scores, weights):
    """The organisers' formula on what keeps every order: classes and scores turned round, McClish's stretch undone."""
    m = 0.2
    turned = roc_auc_score(~truth, -scores.astype(np.float64), max_fpr=m, sample_weight=weights)
    return m**2 / 2 + (m - m**2 / 2) * (turned - 0.5) / 0.5


def pauc(kind):
    def gap(seed):
        truth, s, w = scored(seed, kind)
        return apart(once(pauc_tpr80(truth, s), w), official(truth, s, w))

    oracle = f"organisers' formula by `roc_auc_score(max_fpr=0.2)`, {kind}"
    return Comparison(PAUC.name, oracle, "scikit-learn", gap, EXACT)


def vertices(truth, scores, weights):
    """Return the corners of the ROC curve as fractions, from the highest score down."""
    w = [Fraction(float(one)) for one in weights]
    places = sum((x for x, t in zip(w, truth, strict=True) if t), Fraction(0))
    negatives = sum(w, Fraction(0)) - places
    if not places or not negatives:
        return None
    corners = [(Fraction(0), Fraction(0))]
    for cut in sorted({float(one) for one in scores}, reverse=True):
        inside = [float(one) >= cut for one in scores]
        up = sum((x for x, t, i in zip(w, truth, inside, strict=True) if t and i), Fraction(0))
        right = sum((x for x, t, i in zip(w, truth, inside, strict=True) if not t and i), Fraction(0))
        corners.append((right / negatives, up / places))
    return corners


def area(corners, height, left=FIFTH):
    """Return the area of `height` over FPR where TPR is at least `left`, cutting each line where it crosses."""
    found = Fraction(0)
    for (x, a), (z, b) in pairwise(corners):
        if b <= left and a < left:
            continue
        start = x if a >= left else x + (z - x) * (left - a) / (b - a)
        found += (z - start) * (height(max(a, left)) + height(b)) / 2
    return found


def in_fractions(height):
    def expected(y, p, w):
        corners = vertices(y == 1, p[:, 1], w)
        return np.nan if corners is None else float(area(corners, height))

    return expected


def decided(y, p, w):
    """Mean recall over the classes that stand; a tie for the highest is right for nobody."""
    y, p = copied(y, p, w)
    recalls = []
    for c in sorted(set(y.tolist())):
        rows = p[y == c].tolist()
        right = sum(all(row[c] > other for k, other in enumerate(row) if k != c) for row in rows)
        recalls.append(Fraction(right, len(rows)))
    return float(sum(recalls) / len(recalls))


def retrieved(seed):
    """Among each patient's three highest, averaged over every order of at most six rows."""
    random = np.random.default_rng((seed, 3))
    y, p, _ = case(seed, 2, most=12)
    groups = [str(one) for one in random.integers(0, 1 + len(y) // 4, len(y))]
    rows_of = {group: [i for i, one in enumerate(groups) if one == group] for group in groups}
    if not y.any() or max(map(len, rows_of.values())) > 6:
        return None
    found = Fraction(0)
    for rows in rows_of.values():
        orders = [sorted(order, key=lambda i: -p[i, 1]) for order in permutations(rows)]
        found += Fraction(sum(int(y[i]) for order in orders for i in order[:3]), len(orders))
    metric = RetrievalSensitivity(RetrievalSensitivity.Config(top=3)).given(Facts(groups=groups))
    return apart(metric.value(y, p, np.ones(len(y))), float(found / int(y.sum())))


COMPARISONS = (
    *(pauc(kind) for kind in RANGES),
    against(PAUC, "exact fractions", DEFINITION, in_fractions(lambda tpr: tpr - FIFTH), classes=2, within=EXACT),
    against(ArchiveAUC, "exact fractions", DEFINITION, in_fractions(lambda tpr: tpr), classes=2),
    against(BalancedRecall, "exact fractions", DEFINITION, decided),
    Comparison(RetrievalSensitivity.name, "every order of ties, in fractions", DEFINITION, retrieved),
)
