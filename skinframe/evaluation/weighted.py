"""A metric as a function of sample weights, so that a bootstrap pays for sorting and binning once.

Weights are [R, N]: R resamples of N samples, each entry the number of times that the sample was drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from skinframe.components import Metric

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Weighted = Callable[[Floats], Floats]


@runtime_checkable
class Resampled(Protocol):
    """A metric that can do all that does not depend on the weights beforehand."""

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        """Return the function from weights [R, N] to values [R]."""


def weighted(metric: Metric, labels: Ints, probabilities: Floats) -> Weighted:
    """Return a metric as a function of weights [R, N]; one without `over` is called once a resample."""
    if isinstance(metric, Resampled):
        return metric.over(labels, probabilities)
    return lambda weights: np.array([metric.value(labels, probabilities, row) for row in weights], dtype=np.float64)


def once(function: Weighted, weights: Floats) -> float:
    """Return the value for a single vector of weights [N]."""
    return float(function(np.asarray(weights, dtype=np.float64)[None, :])[0])


def ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Divide element by element; NaN where the denominator is 0."""
    out: Floats = np.full(np.broadcast_shapes(numerator.shape, denominator.shape), np.nan)
    np.divide(numerator, denominator, out=out, where=denominator > 0)
    return out


def mean_of(per_sample: Floats) -> Weighted:
    """Return the weighted mean of a number that each sample has, [N] -> ([R, N] -> [R])."""
    return lambda weights: ratio(weights @ per_sample, weights.sum(axis=1))


def mean_defined(values: Floats) -> Floats:
    """Return the mean over the last axis of the entries that are not NaN; NaN where there is none."""
    known = ~np.isnan(values)
    return ratio(np.where(known, values, 0.0).sum(axis=-1), known.sum(axis=-1).astype(np.float64))


def one_hot(labels: Ints, classes: int) -> Floats:
    """Return [N, C] with 1 at each sample's class."""
    hot: Floats = (np.asarray(labels)[:, None] == np.arange(classes)).astype(np.float64)
    return hot
