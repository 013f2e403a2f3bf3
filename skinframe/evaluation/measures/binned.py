"""Binned calibration errors beside the plain ECE. All are biased upwards: read each beside its floor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from skinframe.components import Metric
from skinframe.evaluation.measures.tied import equal_mass, over_levels
from skinframe.evaluation.metrics_calibration import bin_of
from skinframe.weighted import Floats, Ints, Sums, Weighted, one_hot, ratio


def top(labels: Ints, probabilities: Floats) -> tuple[Floats, Floats]:
    """Return the confidence of the named class [N] and hit - confidence [N]."""
    if not probabilities.shape[1]:
        return np.zeros(len(labels)), np.zeros(len(labels))
    confidence: Floats = probabilities.max(axis=1)
    return confidence, (probabilities.argmax(axis=1) == labels) - confidence


def ece_mass(labels: Ints, probabilities: Floats, bins: int) -> Weighted:
    """ECE of the top class in bins that hold equally many samples."""
    confidence, gap = top(labels, probabilities)

    def values(levels: Floats, sums: Floats) -> Floats:
        binned = equal_mass(sums, bins)
        return ratio(np.abs(binned[:, 1]).sum(axis=1), binned[:, 0].sum(axis=1))

    return over_levels(confidence, [gap], values)


def ece_classwise(labels: Ints, probabilities: Floats, bins: int) -> Weighted:
    """Mean over all classes of sum_b |sum_{i in b} w_i (y_ic - p_ic)| / sum_i w_i."""
    classes = probabilities.shape[1]
    residual = one_hot(labels, classes) - probabilities
    place = bin_of(probabilities, bins)
    binned = [one_hot(place[:, c], bins) * residual[:, c : c + 1] for c in range(classes)]
    columns = np.hstack([*binned, np.ones((len(labels), 1))])
    return Sums(columns, lambda sums: ratio(np.abs(sums[:, :-1]).sum(axis=1) / max(classes, 1), sums[:, -1]))


def gaps(labels: Ints, probabilities: Floats, bins: int) -> Sums:
    """Return sum_{i in b} w_i (hit_i - confidence_i) and sum_{i in b} w_i of equal-width bins, [R, 2 bins]."""
    confidence, gap = top(labels, probabilities)
    inside = one_hot(bin_of(confidence, bins), bins)
    return Sums(np.hstack([inside * gap[:, None], inside]), lambda sums: sums)


def mce(labels: Ints, probabilities: Floats, bins: int) -> Weighted:
    """Largest |accuracy - confidence| of any bin that holds a sample."""

    def values(sums: Floats) -> Floats:
        each = np.abs(ratio(*np.split(sums, 2, axis=1)))
        return np.where(np.isnan(each).all(axis=1), np.nan, np.nan_to_num(each).max(axis=1))

    return Sums(gaps(labels, probabilities, bins).columns, values)


def one_sided(labels: Ints, probabilities: Floats, bins: int, sign: float) -> Weighted:
    """The part of the ECE from bins where sign * (accuracy - confidence) > 0."""

    def values(sums: Floats) -> Floats:
        gap, mass = np.split(sums, 2, axis=1)
        return ratio(np.clip(sign * gap, 0.0, None).sum(axis=1), mass.sum(axis=1))

    return Sums(gaps(labels, probabilities, bins).columns, values)


@dataclass(frozen=True, kw_only=True)
class Bins:
    """How many bins."""

    bins: int = 15

    def __post_init__(self) -> None:
        if self.bins < 1:
            raise ValueError(f"bins must be at least 1, got {self.bins}")


class _Binned(Metric):
    """What all binned errors share."""

    higher_is_better = False
    has_floor = True
    by_default = False
    Config = Bins


class ECEMass(_Binned):
    """ECE of the top class in equal-mass bins (Nguyen and O'Connor 2015, arXiv:1508.05154)."""

    name = "ece_mass"

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return ece_mass(labels, probabilities, self.config.bins)


class ECEClasswise(_Binned):
    """Mean over classes of the ECE of each class's own probability (Kull et al. 2019, arXiv:1910.12656)."""

    name = "ece_classwise"

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return ece_classwise(labels, probabilities, self.config.bins)


class MCE(_Binned):
    """Maximum calibration error over bins (Naeini et al. 2015); a bin of one sample can decide it."""

    name = "mce"

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return mce(labels, probabilities, self.config.bins)


class Overconfidence(_Binned):
    """The part of the ECE from bins whose confidence exceeds their accuracy; with underconfidence it adds up to ECE."""

    name = "overconfidence"

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return one_sided(labels, probabilities, self.config.bins, -1.0)


class Underconfidence(_Binned):
    """The part of the ECE from bins whose accuracy exceeds their confidence; with overconfidence it adds up to ECE."""

    name = "underconfidence"
    breaks: ClassVar = {"direction": "certainty in the wrong class is all overconfidence"}

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return one_sided(labels, probabilities, self.config.bins, 1.0)
