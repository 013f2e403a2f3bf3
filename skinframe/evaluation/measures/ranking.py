"""How well scores rank: areas under ROC and precision-recall curves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skinframe.components import BinaryMetric, Metric, Positive
from skinframe.roc import Curve, area_below_fpr, auroc, average_precision, of_curve
from skinframe.weighted import Floats, Ints, Weighted, mean_of_statistics, one_hot, ratio


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
    by_default = False

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return weighted_auroc(labels, probabilities)


class MacroAUPRC(Metric):
    """Mean average precision over classes; read it beside the classes' shares, which are its chance level."""

    name = "macro_auprc"
    by_default = False

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return macro_auprc(labels, probabilities)


class AUROC(BinaryMetric):
    """Area under the ROC curve of the positive classes against the rest (Hanley and McNeil 1982)."""

    name = "auroc"

    def of(self, positive: NDArray[np.bool_], scores: Floats) -> Weighted:
        return auroc(positive, scores)


class AUPRC(BinaryMetric):
    """Average precision of the positive classes against the rest; chance is their share of the samples."""

    name = "auprc"

    def of(self, positive: NDArray[np.bool_], scores: Floats) -> Weighted:
        return average_precision(positive, scores)


class PartialAUC(BinaryMetric):
    """Standardised partial area at low FPR (McClish 1989), as scikit-learn's `max_fpr`; chance 0.5."""

    name = "pauc_mcclish"

    @dataclass(frozen=True, kw_only=True)
    class Config(Positive):
        max_fpr: float = 0.1

        def __post_init__(self) -> None:
            super().__post_init__()
            if not 0 < self.max_fpr < 1:
                raise ValueError(f"max_fpr must be in (0, 1), got {self.max_fpr}")

    def of(self, positive: NDArray[np.bool_], scores: Floats) -> Weighted:
        return mcclish(positive, scores, self.config.max_fpr)
