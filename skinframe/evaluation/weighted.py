"""A metric as a function of sample weights; the building blocks are public, in `skinframe.weighted`."""

from __future__ import annotations

from skinframe.components import Metric
from skinframe.weighted import (
    Floats,
    Ints,
    Sums,
    Weighted,
    mean_defined,
    mean_of,
    once,
    one_hot,
    ratio,
)

__all__ = ["Floats", "Ints", "Sums", "Weighted", "mean_defined", "mean_of", "once", "one_hot", "ratio", "weighted"]


def weighted(metric: Metric, labels: Ints, probabilities: Floats) -> Weighted:
    """Return a metric as a function of weights [R, N]; one without a fast path is called once a resample."""
    return metric.over(labels, probabilities)
