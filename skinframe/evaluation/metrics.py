"""Metrics of discrimination: which class is named, and how well each class is ranked against the rest.

A tie for the highest probability goes to the first class. A class that has no sample is left out of a macro mean.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from skinframe.components import Metric
from skinframe.evaluation.weighted import Floats, Ints, Weighted, mean_defined, mean_of, once, one_hot, ratio


def accuracy(labels: Ints, probabilities: Floats) -> Weighted:
    """Share of samples whose class has the highest probability."""
    return mean_of((probabilities.argmax(axis=1) == labels).astype(np.float64))


def balanced_accuracy(labels: Ints, probabilities: Floats) -> Weighted:
    """Mean over the classes present of the share of their samples that are named right (ISIC 2018/2019)."""
    truth = one_hot(labels, probabilities.shape[1])
    hit = truth * (probabilities.argmax(axis=1) == labels)[:, None]
    return lambda weights: mean_defined(ratio(weights @ hit, weights @ truth))


def macro_f1(labels: Ints, probabilities: Floats) -> Weighted:
    """Mean over classes of 2 TP / (2 TP + FP + FN); classes neither present nor predicted are left out."""
    truth = one_hot(labels, probabilities.shape[1])
    named = one_hot(probabilities.argmax(axis=1), probabilities.shape[1])
    hit, either = truth * named, truth + named
    return lambda weights: mean_defined(ratio(2 * (weights @ hit), weights @ either))


def auroc(positive: Ints, scores: Floats) -> Weighted:
    """P(score of a positive > score of a negative) + P(tie) / 2, by one sort of the negatives.

    With the negatives sorted and S their cumulated weight: AUROC = sum_i w_i (S[lo_i] + S[hi_i]) / 2 / (W+ W-),
    where lo_i and hi_i are the negatives below, and not above, the score of positive i.
    """
    above = np.flatnonzero(positive)
    below = np.flatnonzero(~positive.astype(bool))
    below = below[np.argsort(scores[below], kind="stable")]
    low = np.searchsorted(scores[below], scores[above], side="left")
    high = np.searchsorted(scores[below], scores[above], side="right")

    def values(weights: Floats) -> Floats:
        mass = np.zeros((len(weights), len(below) + 1))
        np.cumsum(weights[:, below], axis=1, out=mass[:, 1:])
        own = weights[:, above]
        wins = (own * (mass[:, low] + mass[:, high])).sum(axis=1) / 2
        return ratio(wins, own.sum(axis=1) * mass[:, -1])

    return values


def macro_auroc(labels: Ints, probabilities: Floats) -> Weighted:
    """Mean over the classes present of the AUROC of the class against the rest, ties counted half."""
    parts: list[Callable[[Floats], Floats]] = [
        auroc(labels == c, probabilities[:, c]) for c in range(probabilities.shape[1]) if (labels == c).any()
    ]
    if not parts:
        return lambda weights: np.full(len(weights), np.nan)
    return lambda weights: mean_defined(np.stack([part(weights) for part in parts], axis=1))


class Accuracy(Metric):
    """Share of samples named right; says little where classes are rare."""

    name = "accuracy"

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return accuracy(labels, probabilities)

    def value(self, labels: Ints, probabilities: Floats, weights: Floats) -> float:
        return once(self.over(labels, probabilities), weights)


class BalancedAccuracy(Metric):
    """Mean recall over the classes present, the headline of ISIC 2018 and 2019."""

    name = "balanced_accuracy"

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return balanced_accuracy(labels, probabilities)

    def value(self, labels: Ints, probabilities: Floats, weights: Floats) -> float:
        return once(self.over(labels, probabilities), weights)


class MacroF1(Metric):
    """Mean F1 over classes, for comparison with papers; not a proper measure (Van Calster 2025, arXiv:2412.10288)."""

    name = "macro_f1"

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return macro_f1(labels, probabilities)

    def value(self, labels: Ints, probabilities: Floats, weights: Floats) -> float:
        return once(self.over(labels, probabilities), weights)


class MacroAUROC(Metric):
    """Mean one-vs-rest area under the ROC curve (Hanley and McNeil 1982), ties counted half."""

    name = "macro_auroc"

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return macro_auroc(labels, probabilities)

    def value(self, labels: Ints, probabilities: Floats, weights: Floats) -> float:
        return once(self.over(labels, probabilities), weights)
