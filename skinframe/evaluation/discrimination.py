"""Metrics of discrimination: which class is predicted, and how well scores rank the classes.

A tie for the highest probability goes to the first class. A class that has no sample is left out of a macro mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skinframe.components import BinaryMetric, Metric, Positive
from skinframe.roc import Curve, area_below_fpr, auroc, average_precision, of_curve
from skinframe.weighted_statistics import (
    Floats,
    Ints,
    Sums,
    Weighted,
    coded,
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
    span = (0.0, 1.0)

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return accuracy(labels, probabilities)


class BalancedAccuracy(Metric):
    """Mean recall over the classes present, the headline of ISIC 2018 and 2019."""

    name = "balanced_accuracy"
    span = (0.0, 1.0)

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return balanced_accuracy(labels, probabilities)


class MacroF1(Metric):
    """Mean F1 over classes, for comparison with papers; not a proper measure (Van Calster 2025, arXiv:2412.10288)."""

    name = "macro_f1"
    span = (0.0, 1.0)

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return macro_f1(labels, probabilities)


class MacroAUROC(Metric):
    """Mean one-vs-rest area under the ROC curve (Hanley and McNeil 1982), ties counted half."""

    name = "macro_auroc"
    span = (0.0, 1.0)

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return macro_auroc(labels, probabilities)


def mcc(labels: Ints, probabilities: Floats) -> Weighted:
    """Matthews correlation of K classes (Gorodkin 2004): (c s - t.p) / sqrt((s^2 - p.p) (s^2 - t.t)).

    s samples, c right, t and p the samples a class by truth and by name; NaN where all are of one class or name.
    """
    classes = probabilities.shape[1]

    def values(sums: Floats) -> Floats:
        table = sums.reshape(len(sums), classes, classes)
        truth, named = table.sum(axis=2), table.sum(axis=1)
        total, right = table.sum(axis=(1, 2)), np.trace(table, axis1=1, axis2=2)
        spread = (total**2 - (named**2).sum(axis=1)) * (total**2 - (truth**2).sum(axis=1))
        agreed = right * total - (truth * named).sum(axis=1)
        return np.where(spread > 0, agreed / np.sqrt(np.where(spread > 0, spread, 1.0)), np.nan)

    return coded(labels * classes + probabilities.argmax(axis=1), classes * classes, values)


class MCC(Metric):
    """Matthews correlation coefficient, from -1 to 1; 0 is chance."""

    name = "mcc"
    span = (-1.0, 1.0)
    by_default = False

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return mcc(labels, probabilities)

    def reason(self, labels: Ints, probabilities: Floats) -> str:
        return "all samples are of one class, or all are named alike"


def weighted_auroc(labels: Ints, probabilities: Floats) -> Weighted:
    """Mean over classes of the one-vs-rest AUROC, each weighted by its share of the samples."""
    classes = [c for c in range(probabilities.shape[1]) if (labels == c).any()]
    parts = [auroc(labels == c, probabilities[:, c]) for c in classes]
    truth = one_hot(labels, probabilities.shape[1])[:, classes]

    def values(weights: Floats) -> Floats:
        areas = np.stack([part(weights) for part in parts], axis=1) if parts else np.zeros((len(weights), 0))
        shares = np.where(np.isnan(areas), 0.0, weights @ truth)
        return ratio((shares * np.nan_to_num(areas)).sum(axis=1), shares.sum(axis=1))

    return values


def macro_auprc(labels: Ints, probabilities: Floats) -> Weighted:
    """Mean over the classes present of the average precision; chance is the mean of their shares."""
    classes = range(probabilities.shape[1])
    return mean_of_statistics(
        [average_precision(labels == c, probabilities[:, c]) for c in classes if (labels == c).any()]
    )


def mcclish(positive: NDArray[Any], scores: Floats, max_fpr: float) -> Weighted:
    """Area over FPR in [0, m], moved and stretched so that chance is 0.5 and the best is 1 (McClish 1989).

    (1 + (A - m^2 / 2) / (m - m^2 / 2)) / 2 with m = max_fpr.
    """
    least = max_fpr**2 / 2

    def area(curve: Curve) -> Floats:
        found: Floats = (1 + (area_below_fpr(curve, max_fpr) - least) / (max_fpr - least)) / 2
        return found

    return of_curve(positive, scores, area)


class WeightedAUROC(Metric):
    """One-vs-rest AUROC weighted by the classes' shares: says most of the common classes."""

    name = "weighted_auroc"
    span = (0.0, 1.0)
    by_default = False

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return weighted_auroc(labels, probabilities)


class MacroAUPRC(Metric):
    """Mean average precision over classes; read it beside the classes' shares, which are its chance level."""

    name = "macro_auprc"
    span = (0.0, 1.0)
    by_default = False

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return macro_auprc(labels, probabilities)


class AUROC(BinaryMetric):
    """Area under the ROC curve of the positive classes against the rest (Hanley and McNeil 1982)."""

    name = "auroc"
    span = (0.0, 1.0)

    def of(self, positive: NDArray[np.bool_], scores: Floats) -> Weighted:
        return auroc(positive, scores)


class AUPRC(BinaryMetric):
    """Average precision of the positive classes against the rest; chance is their share of the samples."""

    name = "auprc"
    span = (0.0, 1.0)

    def of(self, positive: NDArray[np.bool_], scores: Floats) -> Weighted:
        return average_precision(positive, scores)


class PartialAUC(BinaryMetric):
    """Standardised partial area at low FPR (McClish 1989), as scikit-learn's `max_fpr`; chance 0.5."""

    name = "pauc_mcclish"
    span = (0.0, 1.0)

    @dataclass(frozen=True, kw_only=True)
    class Config(Positive):
        max_fpr: float = 0.1

        def __post_init__(self) -> None:
            super().__post_init__()
            if not 0 < self.max_fpr < 1:
                raise ValueError(f"max_fpr must be in (0, 1), got {self.max_fpr}")

    def of(self, positive: NDArray[np.bool_], scores: Floats) -> Weighted:
        return mcclish(positive, scores, self.config.max_fpr)
