"""Sensitivity, specificity, PPV and NPV at a given threshold, or at one chosen on another split."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from skinframe.components import BinaryMetric, Positive
from skinframe.weighted_statistics import Floats, Ints, Weighted, share_of, undefined

Truth = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class DecisionThreshold(Positive):
    """The classes that are looked for, and the probability above which a sample is called positive."""

    threshold: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.threshold <= 1:
            raise ValueError(f"threshold is a probability in [0, 1], got {self.threshold}")


class Sensitivity(BinaryMetric):
    """Share of the positive samples that are called positive."""

    name = "sensitivity"
    span = (0.0, 1.0)
    Config = DecisionThreshold

    def of(self, positive: Truth, scores: Floats) -> Weighted:
        return share_of(scores > self.config.threshold, positive)


class Specificity(BinaryMetric):
    """Share of the negative samples that are called negative."""

    name = "specificity"
    span = (0.0, 1.0)
    Config = DecisionThreshold

    def of(self, positive: Truth, scores: Floats) -> Weighted:
        return share_of(scores <= self.config.threshold, ~positive)


class PPV(BinaryMetric):
    """Share of those called positive that are; follows the prevalence of this very set."""

    name = "ppv"
    span = (0.0, 1.0)
    Config = DecisionThreshold

    def of(self, positive: Truth, scores: Floats) -> Weighted:
        return share_of(positive, scores > self.config.threshold)


class NPV(BinaryMetric):
    """Share of those called negative that are; follows the prevalence of this very set."""

    name = "npv"
    span = (0.0, 1.0)
    Config = DecisionThreshold

    def of(self, positive: Truth, scores: Floats) -> Weighted:
        return share_of(~positive, scores <= self.config.threshold)


def threshold_for(
    positive: Truth, scores: Floats, *, kind: Literal["sensitivity", "specificity"], least: float
) -> float:
    """Return the threshold t, positive being score >= t, at which `kind` is at least `least` and the other is best.

    For specificity it is the lowest such t (infinity calls nobody positive), for sensitivity the highest. NaN where
    the split that it is chosen on lacks a class.
    """
    if not positive.any() or positive.all():
        return math.nan
    if kind == "sensitivity":
        ranked = np.sort(scores[positive])[::-1]
        return float(ranked[min(len(ranked), max(1, math.ceil(least * len(ranked) - 1e-9))) - 1])
    candidates = np.append(np.unique(scores), math.inf)
    negatives = np.sort(scores[~positive])
    specificity = np.searchsorted(negatives, candidates, side="left") / len(negatives)
    return float(candidates[int(np.argmax(specificity >= least - 1e-12))])


@dataclass(frozen=True, kw_only=True)
class OperatingPoint(Positive):
    """The classes that are looked for, and the value that the threshold holds on the split it is chosen on."""

    at: float = 0.9

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.at <= 1:
            raise ValueError(f"at must be in (0, 1], got {self.at}")


class _AtPoint(BinaryMetric):
    """What both have: the threshold comes from `facts.chosen_on`, never from the samples that are judged."""

    Config = OperatingPoint
    held: Literal["sensitivity", "specificity"]

    def threshold(self) -> float:
        """Return the threshold; NaN where no other split is known or it lacks a class."""
        known = self.facts.chosen_on
        question = None if known is None else self.question(*known)
        return math.nan if question is None else threshold_for(*question, kind=self.held, least=self.config.at)

    def reason(self, labels: Ints, probabilities: Floats) -> str:
        if self.question(labels, probabilities) is not None and math.isnan(self.threshold()):
            return "no validation split with both kinds, on which the threshold could be chosen"
        return super().reason(labels, probabilities)


class SensitivityAtSpecificity(_AtPoint):
    """Sensitivity at the threshold that gave the specificity `at` on validation."""

    name = "sensitivity_at_specificity"
    span = (0.0, 1.0)
    held = "specificity"

    def of(self, positive: Truth, scores: Floats) -> Weighted:
        chosen = self.threshold()
        return undefined if math.isnan(chosen) else share_of(scores >= chosen, positive)


class SpecificityHeld(SensitivityAtSpecificity):
    """Specificity that the threshold of `sensitivity_at_specificity` holds on the samples that are judged."""

    name = "specificity_held"
    span = (0.0, 1.0)

    def of(self, positive: Truth, scores: Floats) -> Weighted:
        chosen = self.threshold()
        return undefined if math.isnan(chosen) else share_of(scores < chosen, ~positive)


class SpecificityAtSensitivity(_AtPoint):
    """Specificity at the threshold that gave the sensitivity `at` on validation."""

    name = "specificity_at_sensitivity"
    span = (0.0, 1.0)
    held = "sensitivity"

    def of(self, positive: Truth, scores: Floats) -> Weighted:
        chosen = self.threshold()
        return undefined if math.isnan(chosen) else share_of(scores < chosen, ~positive)


class SensitivityHeld(SpecificityAtSensitivity):
    """Sensitivity that the threshold of `specificity_at_sensitivity` holds on the samples that are judged."""

    name = "sensitivity_held"
    span = (0.0, 1.0)

    def of(self, positive: Truth, scores: Floats) -> Weighted:
        chosen = self.threshold()
        return undefined if math.isnan(chosen) else share_of(scores >= chosen, positive)
