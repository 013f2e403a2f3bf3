"""What a metric would read if the probabilities were true: the null floor, its test, and the draws behind both."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from skinframe.components import Metric
from skinframe.evaluation.bootstrap import group_index
from skinframe.evaluation.weighted import Floats, Ints


@dataclass(frozen=True)
class Floor:
    """A metric under perfect calibration with these probabilities and this n: mean, 95th percentile, and the p-value
    (1 + #{drawn at least as large}) / (draws + 1) of the observed value; a small p says 'not calibrated'."""

    mean: float
    upper: float
    p: float
    draws: int


def null_labels(probabilities: Floats, *, seed: int, draws: int, units: Sequence[str] | None = None) -> Iterator[Ints]:
    """Yield labels [N] drawn from each sample's own probabilities (consistency resampling, Bröcker and Smith 2007).

    Samples of one unit share the uniform number that is turned into a class, since one lesion has one diagnosis;
    each sample's own law is untouched.
    """
    random = np.random.default_rng(seed)
    steps = np.cumsum(probabilities, axis=1)
    steps = steps[:, :-1] / steps[:, -1:]
    members = np.arange(len(probabilities)) if units is None else group_index(units)
    count = int(members.max(initial=-1)) + 1
    for _ in range(draws):
        yield (random.random(count)[members][:, None] >= steps).sum(axis=1)


def null_floor(
    metric: Metric,
    labels: Ints,
    probabilities: Floats,
    *,
    seed: int,
    draws: int = 1000,
    units: Sequence[str] | None = None,
) -> Floor | None:
    """Return the floor of a metric that is better when lower; None where the metric is undefined."""
    ones = np.ones(len(labels))
    observed = metric.value(labels, probabilities, ones)
    if math.isnan(observed) or draws < 1:
        return None
    drawn = np.array(
        [metric.value(y, probabilities, ones) for y in null_labels(probabilities, seed=seed, draws=draws, units=units)]
    )
    # a sum in another order may differ in the last bit, and an equal draw must count
    reached = int((drawn >= observed - 1e-12).sum())
    return Floor(float(drawn.mean()), float(np.quantile(drawn, 0.95)), (1 + reached) / (draws + 1), draws)
