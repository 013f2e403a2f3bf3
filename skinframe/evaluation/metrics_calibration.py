"""Metrics of probabilities: the proper scores first (NLL, Brier), then the binned calibration error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skinframe.components import Metric
from skinframe.weighted import Floats, Ints, Sums, Weighted, mean_defined, mean_of, one_hot, ratio

SMALLEST = float(np.finfo(np.float64).eps)  # a probability of 0 for what happened costs 36 nats, not infinity


def log_losses(labels: Ints, probabilities: Floats) -> Floats:
    """Return -log of the probability of each sample's true class [N], with probabilities clipped at `SMALLEST`."""
    picked = np.take_along_axis(probabilities, np.asarray(labels)[:, None], axis=1)[:, 0]
    return np.asarray(-np.log(np.clip(picked, SMALLEST, 1.0)), dtype=np.float64)


def balanced_nll(labels: Ints, probabilities: Floats) -> Weighted:
    """Mean over the classes present of the mean negative log likelihood of their samples."""
    truth = one_hot(labels, probabilities.shape[1])
    cost = truth * log_losses(labels, probabilities)[:, None]
    return Sums(np.hstack([cost, truth]), lambda sums: mean_defined(ratio(*np.split(sums, 2, axis=1))))


def brier(labels: Ints, probabilities: Floats) -> Weighted:
    """Mean over samples of sum_c (p_c - y_c)^2, from 0 to 2 (Brier 1950)."""
    return mean_of(np.square(probabilities - one_hot(labels, probabilities.shape[1])).sum(axis=1))


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


class NLL(Metric):
    """Mean negative log likelihood in nats (Good 1952): proper, so only the true probabilities minimise it."""

    name = "nll"
    higher_is_better = False

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return mean_of(log_losses(labels, probabilities))


class BalancedNLL(Metric):
    """Negative log likelihood averaged within each class first, so that rare classes count as much as common ones."""

    name = "balanced_nll"
    higher_is_better = False

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return balanced_nll(labels, probabilities)


class Brier(Metric):
    """Brier score summed over classes (Brier 1950), from 0 to 2: proper and bounded."""

    name = "brier"
    higher_is_better = False

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return brier(labels, probabilities)


class ECE(Metric):
    """Expected calibration error of the top class in equal-width bins (Guo et al. 2017, arXiv:1706.04599).

    Biased upwards: a perfectly calibrated model does not score 0 but the floor that is reported beside it.
    """

    name = "ece"
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
