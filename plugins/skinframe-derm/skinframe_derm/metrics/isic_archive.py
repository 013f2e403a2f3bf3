"""The live scorer of the ISIC 2018 and 2019 challenges: balanced recall with undecided ties, area above 80 %."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

import skinframe
from skinframe.roc import Curve, of_curve
from skinframe.weighted_statistics import Floats, Ints, Sums, Weighted, mean_defined, one_hot, ratio

LEAST_TPR = 0.8


def auc_sens80(positive: NDArray[Any], scores: NDArray[Any]) -> Weighted:
    """Integral of TPR over FPR from where TPR first reaches 0.8: up to 1, and not the ISIC 2024 score."""
    return of_curve(positive, scores, _area_from_tpr)


def _area_from_tpr(curve: Curve) -> Floats:
    low, high = curve.tpr[:, :-1], curve.tpr[:, 1:]
    width, rise = np.diff(curve.fpr, axis=1), high - low
    crosses = (low < LEAST_TPR) & (high >= LEAST_TPR)
    inside = np.where(crosses, (high - LEAST_TPR) / np.where(rise > 0, rise, 1.0), (low >= LEAST_TPR).astype(float))
    height = (np.maximum(low, LEAST_TPR) + high) / 2
    return np.asarray((width * inside * height).sum(axis=1), dtype=np.float64)


def balanced_recall(labels: Ints, probabilities: Floats, row_weight: Floats | None = None) -> Weighted:
    """Mean over the categories present of the recall by `row_weight`; a tie for the highest is undecided, so wrong."""
    best = probabilities.max(axis=1, keepdims=True)
    decided = (probabilities == best).sum(axis=1) == 1
    hit = decided & (probabilities.argmax(axis=1) == labels)
    given = np.ones(len(labels)) if row_weight is None else row_weight
    truth = one_hot(labels, probabilities.shape[1]) * given[:, None]
    columns = np.hstack([truth * hit[:, None], truth])
    return Sums(columns, lambda sums: mean_defined(ratio(*np.split(sums, 2, axis=1))))


class ArchiveAUC(skinframe.BinaryMetric):
    """`auc_sens_80` of the ISIC archive's scorer: area under TPR from the 80 % crossing, down to 0; range 0 to 1."""

    name = "auc_sens80_isic_archive"
    span = (0.0, 1.0)

    def of(self, positive: NDArray[np.bool_], scores: Floats) -> Weighted:
        return auc_sens80(positive, scores)


class BalancedRecall(skinframe.Metric):
    """The headline of ISIC 2018 and 2019: balanced recall with undecided ties, by the column `score_weight`.

    Where that column is not given each image counts once. The scorer's per-category sensitivity and specificity are
    `sensitivity` and `specificity` here (above 0.5, not the highest), but for those undefined, which it scores as 1.
    """

    name = "balanced_recall_isic2019"
    span = (0.0, 1.0)
    by_default = False

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return balanced_recall(labels, probabilities, self.facts.columns.get("score_weight"))
