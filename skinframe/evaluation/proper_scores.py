"""Proper scores (NLL, Brier), and the Brier score decomposed into miscalibration, discrimination and uncertainty."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import ClassVar

import numpy as np

from skinframe.components import Metric
from skinframe.evaluation.tied_scores import over_levels
from skinframe.weighted_statistics import Floats, Ints, Sums, Weighted, mean_defined, mean_of, one_hot, ratio

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


class NLL(Metric):
    """Mean negative log likelihood in nats (Good 1952): proper, so only the true probabilities minimise it."""

    name = "nll"
    span = (0.0, math.inf)
    higher_is_better = False

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return mean_of(log_losses(labels, probabilities))


class BalancedNLL(Metric):
    """Negative log likelihood averaged within each class first, so that rare classes count as much as common ones."""

    name = "balanced_nll"
    span = (0.0, math.inf)
    higher_is_better = False

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return balanced_nll(labels, probabilities)


class Brier(Metric):
    """Brier score summed over classes (Brier 1950), from 0 to 2: proper and bounded."""

    name = "brier"
    span = (0.0, 2.0)
    higher_is_better = False

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return brier(labels, probabilities)


def isotonic(levels: Floats, mass: Floats, hits: Floats) -> Floats:
    """Return the increasing function of the levels [G] nearest to hits / mass (pool adjacent violators)."""
    from scipy.optimize import isotonic_regression

    used = mass > 0
    fitted = np.zeros(len(levels))
    if used.any():
        fitted[used] = isotonic_regression(hits[used] / mass[used], weights=mass[used]).x
    return fitted


def corp(labels: Ints, probabilities: Floats, part: Callable[[Floats, Floats, Floats], Floats]) -> Weighted:
    """Return a part of the decomposition, summed over classes as the Brier score is (Dimitriadis et al. 2021).

    With S(q) the Brier score of probabilities q, pav the isotonic fit and ybar the class share, for each class:
    MCB = S(p) - S(pav p), DSC = S(ybar) - S(pav p), UNC = S(ybar), so that S(p) = MCB - DSC + UNC.
    """
    classes = range(probabilities.shape[1])
    each = [
        over_levels(probabilities[:, c], [(labels == c).astype(np.float64)], partial(_scores, part=part))
        for c in classes
    ]

    def values(weights: Floats) -> Floats:
        return np.asarray(sum((one(weights) for one in each), np.zeros(len(weights))), dtype=np.float64)

    return values


def _scores(levels: Floats, sums: Floats, part: Callable[[Floats, Floats, Floats], Floats]) -> Floats:
    mass, hits = sums[:, 0], sums[:, 1]
    total = mass.sum(axis=1, keepdims=True)
    defined = total[:, 0] > 0
    weight = np.where(defined, total[:, 0], 1.0)
    fitted = np.stack([isotonic(levels, mass[r], hits[r]) for r in range(len(sums))]) if len(sums) else mass
    share = hits.sum(axis=1, keepdims=True) / weight[:, None]

    def score(given: Floats) -> Floats:
        cost = mass * given**2 - 2 * hits * given + hits
        return np.asarray(cost.sum(axis=1) / weight, dtype=np.float64)

    return np.where(defined, part(score(levels[None, :]), score(fitted), score(share)), np.nan)


class BrierMCB(Metric):
    """Miscalibration part of the Brier score (CORP, Dimitriadis et al. 2021, doi 10.1073/pnas.2016191118)."""

    name = "brier_mcb"
    span = (0.0, 2.0)
    higher_is_better = False
    has_floor = True
    by_default = False

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return corp(labels, probabilities, lambda given, fitted, share: given - fitted)


class BrierDSC(Metric):
    """Discrimination part of the Brier score (CORP): how much is known beyond the class shares."""

    name = "brier_dsc"
    span = (0.0, 2.0)
    by_default = False

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return corp(labels, probabilities, lambda given, fitted, share: share - fitted)


class BrierUNC(Metric):
    """Uncertainty part of the Brier score (CORP): the score of the class shares; says nothing of the model."""

    name = "brier_unc"
    span = (0.0, 1.0)
    breaks: ClassVar = {"direction": "is of the labels alone"}
    higher_is_better = False
    by_default = False

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return corp(labels, probabilities, lambda given, fitted, share: share)
