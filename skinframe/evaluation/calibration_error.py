"""Calibration errors in bins: ECE and its variants. Biased upwards but for the debiased one: read the floor too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from skinframe.components import Metric
from skinframe.evaluation.tied_scores import equal_mass, over_levels
from skinframe.weighted_statistics import Floats, Ints, Sums, Weighted, one_hot, ratio


def bin_of(confidence: Floats, bins: int) -> Ints:
    """Return the bin of each confidence: ((k / bins, (k + 1) / bins], with 0 in the first."""
    edges = np.arange(1, bins) / bins
    return np.searchsorted(edges, confidence, side="left").astype(np.int64)


def ece(labels: Ints, probabilities: Floats, bins: int) -> Weighted:
    """Expected calibration error of the top class: sum_b |sum_{i in b} w_i (hit_i - confidence_i)| / sum_i w_i."""
    confidence = probabilities.max(axis=1)
    gap = (probabilities.argmax(axis=1) == labels) - confidence
    binned = one_hot(bin_of(confidence, bins), bins) * gap[:, None]
    columns = np.hstack([binned, np.ones((len(gap), 1))])
    return Sums(columns, lambda sums: ratio(np.abs(sums[:, :-1]).sum(axis=1), sums[:, -1]))


class ECE(Metric):
    """Expected calibration error of the top class in equal-width bins (Guo et al. 2017, arXiv:1706.04599).

    Biased upwards: a perfectly calibrated model does not score 0 but the floor that is reported beside it.
    """

    name = "ece"
    span = (0.0, 1.0)
    higher_is_better = False
    has_floor = True

    @dataclass(frozen=True, kw_only=True)
    class Config:
        bins: int = 15

        def __post_init__(self) -> None:
            if self.bins < 1:
                raise ValueError(f"bins must be at least 1, got {self.bins}")

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return ece(labels, probabilities, self.config.bins)


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
    span = (0.0, 1.0)

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return ece_mass(labels, probabilities, self.config.bins)


class ECEClasswise(_Binned):
    """Mean over classes of the ECE of each class's own probability (Kull et al. 2019, arXiv:1910.12656)."""

    name = "ece_classwise"
    span = (0.0, 1.0)

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return ece_classwise(labels, probabilities, self.config.bins)


class MCE(_Binned):
    """Maximum calibration error over bins (Naeini et al. 2015); a bin of one sample can decide it."""

    name = "mce"
    span = (0.0, 1.0)

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return mce(labels, probabilities, self.config.bins)


class Overconfidence(_Binned):
    """The part of the ECE from bins whose confidence exceeds their accuracy; with underconfidence it adds up to ECE."""

    name = "overconfidence"
    span = (0.0, 1.0)

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return one_sided(labels, probabilities, self.config.bins, -1.0)


class Underconfidence(_Binned):
    """The part of the ECE from bins whose accuracy exceeds their confidence; with overconfidence it adds up to ECE."""

    name = "underconfidence"
    span = (0.0, 1.0)
    breaks: ClassVar = {"direction": "certainty in the wrong class is all overconfidence"}

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return one_sided(labels, probabilities, self.config.bins, 1.0)


def debiased_l2(labels: Ints, probabilities: Floats, bins: int) -> Weighted:
    """sum_b (n_b / n) (mean_b(r)^2 - s_b^2 / n_b), r = hit - confidence, s_b^2 its variance in bin b (n_b - 1).

    A bin of one sample has no variance and is left out. May be negative.
    """
    confidence, gap = top(labels, probabilities)

    def values(levels: Floats, sums: Floats) -> Floats:
        mass, first, second = np.moveaxis(equal_mass(sums, bins), 1, 0)
        known = mass > 1
        n = np.where(known, mass, 2.0)
        mean = first / n
        variance = (second - n * mean**2) / (n - 1)
        each = np.where(known, n * (mean**2 - variance / n), 0.0)
        return ratio(each.sum(axis=1), mass.sum(axis=1))

    return over_levels(confidence, [gap, gap**2], values)


class DebiasedL2(Metric):
    """Debiased squared L2 calibration error of the top class, equal-mass bins (Kumar et al. 2019, arXiv:1909.10155).

    Centred on 0 for a calibrated model at any n, so it may be negative, and is shown with its sign.
    """

    name = "calibration_l2_debiased"
    higher_is_better = False
    has_floor = True
    signed = True
    by_default = False
    Config = Bins

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return debiased_l2(labels, probabilities, self.config.bins)
