"""What a decision at one threshold is worth: sensitivity, specificity and the predictive values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skinframe.components import BinaryMetric, Positive
from skinframe.weighted import Floats, Weighted, share_of

Truth = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Decision(Positive):
    """The classes that are looked for, and the probability above which a sample is called positive."""

    threshold: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.threshold <= 1:
            raise ValueError(f"threshold is a probability in [0, 1], got {self.threshold}")


class Sensitivity(BinaryMetric):
    """Share of the positive samples that are called positive."""

    name = "sensitivity"
    Config = Decision

    def of(self, positive: Truth, scores: Floats) -> Weighted:
        return share_of(scores > self.config.threshold, positive)


class Specificity(BinaryMetric):
    """Share of the negative samples that are called negative."""

    name = "specificity"
    Config = Decision

    def of(self, positive: Truth, scores: Floats) -> Weighted:
        return share_of(scores <= self.config.threshold, ~positive)


class PPV(BinaryMetric):
    """Share of those called positive that are; follows the prevalence of this very set."""

    name = "ppv"
    Config = Decision

    def of(self, positive: Truth, scores: Floats) -> Weighted:
        return share_of(positive, scores > self.config.threshold)


class NPV(BinaryMetric):
    """Share of those called negative that are; follows the prevalence of this very set."""

    name = "npv"
    Config = Decision

    def of(self, positive: Truth, scores: Floats) -> Weighted:
        return share_of(~positive, scores <= self.config.threshold)
