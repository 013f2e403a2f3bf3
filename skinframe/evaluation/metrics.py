"""Metrics of discrimination: which class is named, and how well each class is ranked against the rest.

A tie for the highest probability goes to the first class. A class that has no sample is left out of a macro mean.
"""

from __future__ import annotations

import numpy as np

from skinframe.components import Metric
from skinframe.roc import auroc
from skinframe.weighted import (
    Floats,
    Ints,
    Sums,
    Weighted,
    mean_defined,
    mean_of_statistics,
    one_hot,
    ratio,
    share_of,
)


def accuracy(labels: Ints, probabilities: Floats) -> Weighted:
    """Share of samples whose class has the highest probability."""
    return share_of(probabilities.argmax(axis=1) == labels, np.ones(len(labels), dtype=bool))


def balanced_accuracy(labels: Ints, probabilities: Floats) -> Weighted:
    """Mean over the classes present of the share of their samples that are named right (ISIC 2018/2019)."""
    truth = one_hot(labels, probabilities.shape[1])
    hit = truth * (probabilities.argmax(axis=1) == labels)[:, None]
    return Sums(np.hstack([hit, truth]), lambda sums: mean_defined(ratio(*np.split(sums, 2, axis=1))))


def macro_f1(labels: Ints, probabilities: Floats) -> Weighted:
    """Mean over classes of 2 TP / (2 TP + FP + FN); classes neither present nor predicted are left out."""
    truth = one_hot(labels, probabilities.shape[1])
    named = one_hot(probabilities.argmax(axis=1), probabilities.shape[1])
    hit, either = truth * named, truth + named
    return Sums(np.hstack([2 * hit, either]), lambda sums: mean_defined(ratio(*np.split(sums, 2, axis=1))))


def macro_auroc(labels: Ints, probabilities: Floats) -> Weighted:
    """Mean over the classes present of the AUROC of the class against the rest, ties counted half."""
    classes = range(probabilities.shape[1])
    return mean_of_statistics([auroc(labels == c, probabilities[:, c]) for c in classes if (labels == c).any()])


class Accuracy(Metric):
    """Share of samples named right; says little where classes are rare."""

    name = "accuracy"

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return accuracy(labels, probabilities)


class BalancedAccuracy(Metric):
    """Mean recall over the classes present, the headline of ISIC 2018 and 2019."""

    name = "balanced_accuracy"

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return balanced_accuracy(labels, probabilities)


class MacroF1(Metric):
    """Mean F1 over classes, for comparison with papers; not a proper measure (Van Calster 2025, arXiv:2412.10288)."""

    name = "macro_f1"

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return macro_f1(labels, probabilities)


class MacroAUROC(Metric):
    """Mean one-vs-rest area under the ROC curve (Hanley and McNeil 1982), ties counted half."""

    name = "macro_auroc"

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return macro_auroc(labels, probabilities)
