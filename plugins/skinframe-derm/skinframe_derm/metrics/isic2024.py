"""ISIC 2024: partial area above 80 % sensitivity, and malignancies among each patient's 15 highest scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import skinframe
from skinframe.components import Positive
from skinframe.roc import area_above_tpr, of_curve
from skinframe.weighted_statistics import Floats, Weighted, bounded, share_of, undefined

LEAST_TPR = 0.8
TOP = 15


def pauc_tpr80(positive: NDArray[Any], scores: NDArray[Any]) -> Weighted:
    """Integral of max(TPR - 0.8, 0) over FPR: 0.2 at best, 0.02 by chance, exactly 0.02 for constant scores.

    Only the order of the scores is read. The organisers' file computes |score - 1| first, which turns logits round and
    loses tiny float32 scores; on probabilities in double precision both agree.
    """
    area = of_curve(positive, scores, lambda curve: area_above_tpr(curve, LEAST_TPR))
    return bounded(area, 0.0, 1 - LEAST_TPR)


def retrieved(scores: NDArray[Any], groups: Sequence[str], top: int) -> Floats:
    """Return the chance [N] that each sample is among the `top` highest scores of its group, ties drawn by lot."""
    hits = np.zeros(len(scores))
    members: dict[str, list[int]] = {}
    for row, group in enumerate(groups):
        members.setdefault(group, []).append(row)
    for rows in members.values():
        own = np.asarray(scores)[rows]
        ascending = np.sort(own)
        above = len(own) - np.searchsorted(ascending, own, side="right")
        same = len(own) - np.searchsorted(ascending, own, side="left") - above
        hits[rows] = np.clip((top - above) / same, 0.0, 1.0)
    return hits


class PAUC(skinframe.BinaryMetric):
    """ISIC 2024's primary score: ROC area above a sensitivity of 0.80 (Kurtansky et al. 2024); range 0 to 0.2."""

    name = "pauc_tpr80_isic2024"
    span = (0.0, 0.2)

    def of(self, positive: NDArray[np.bool_], scores: Floats) -> Weighted:
        return pauc_tpr80(positive, scores)


class RetrievalSensitivity(skinframe.BinaryMetric):
    """ISIC 2024's secondary score: the share of malignancies among each patient's 15 highest scores.

    At the boundary ties count by their chance; the organisers' script takes whichever row comes first.
    """

    name = "retrieval_top15_isic2024"
    span = (0.0, 1.0)

    @dataclass(frozen=True, kw_only=True)
    class Config(Positive):
        top: int = TOP

        def __post_init__(self) -> None:
            super().__post_init__()
            if self.top < 1:
                raise ValueError(f"top must be at least 1, got {self.top}")

    def of(self, positive: NDArray[np.bool_], scores: Floats) -> Weighted:
        if len(self.facts.groups) != len(scores) or not len(scores):
            return undefined
        return share_of(retrieved(scores, self.facts.groups, self.config.top), positive)

    def reason(self, labels: NDArray[np.int64], probabilities: Floats) -> str:
        if len(self.facts.groups) != len(labels):
            return "needs to know which patient each sample is of"
        return super().reason(labels, probabilities)
