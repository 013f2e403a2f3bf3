"""What perfect calibration would look like: the null floor of a metric, and reliability diagrams with bands."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from skinframe.components import Metric
from skinframe.evaluation.bootstrap import group_index
from skinframe.evaluation.calibration_error import bin_of
from skinframe.weighted_statistics import Floats, Ints


@dataclass(frozen=True)
class NullFloor:
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
) -> NullFloor | None:
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
    return NullFloor(float(drawn.mean()), float(np.quantile(drawn, 0.95)), (1 + reached) / (draws + 1), draws)


def classwise_floor(
    labels: Ints,
    probabilities: Floats,
    *,
    seed: int,
    bins: int = 15,
    draws: int = 1000,
    units: Sequence[str] | None = None,
) -> tuple[float, NullFloor] | None:
    """Return the class-wise ECE and its null floor, as `null_floor` of ECEClasswise; None without a sample.

    Only the counts of labels in bins change from draw to draw, so that a draw costs N and not N x C x bins.
    """
    count, classes = probabilities.shape
    if not count or draws < 1:
        return None
    place = bin_of(probabilities, bins) + bins * np.arange(classes)
    stated = np.bincount(place.ravel(), weights=probabilities.ravel(), minlength=classes * bins)
    rows = np.arange(count)

    def error(drawn: Ints) -> float:
        seen = np.bincount(place[rows, drawn], minlength=classes * bins)
        return float(np.abs(seen - stated).sum() / (count * classes))

    observed = error(labels)
    null = np.array([error(y) for y in null_labels(probabilities, seed=seed, draws=draws, units=units)])
    reached = int((null >= observed - 1e-12).sum())
    floor = NullFloor(float(null.mean()), float(np.quantile(null, 0.95)), (1 + reached) / (draws + 1), draws)
    return observed, floor


@dataclass(frozen=True)
class ReliabilityBin:
    """Samples with confidence in (low, high]: their mean confidence, accuracy, and the consistency band.

    A calibrated model's accuracy falls in [band_low, band_high] in 95 % of the draws.
    """

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float
    band_low: float
    band_high: float


def reliability(
    labels: Ints,
    probabilities: Floats,
    *,
    seed: int,
    bins: int = 15,
    draws: int = 1000,
    units: Sequence[str] | None = None,
) -> tuple[ReliabilityBin, ...]:
    """Return the bins that hold a sample, with consistency bands (Bröcker and Smith 2007) from the null floor's draws.

    Give the `seed` and `units` of the floor to show the very draws behind it.
    """
    if not len(labels):
        return ()
    top, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    place = bin_of(confidence, bins)
    count = np.bincount(place, minlength=bins)
    used = np.flatnonzero(count)

    def mean(values: Floats) -> Floats:
        sums: Floats = np.bincount(place, weights=values, minlength=bins)[used] / count[used]
        return sums

    drawn = null_labels(probabilities, seed=seed, draws=draws, units=units)
    under_null = np.stack([mean((y == top).astype(np.float64)) for y in drawn])
    band = np.quantile(under_null, (0.025, 0.975), axis=0)
    sure, right = mean(confidence), mean((labels == top).astype(np.float64))
    return tuple(
        ReliabilityBin(
            low=float(b / bins),
            high=float((b + 1) / bins),
            count=int(count[b]),
            confidence=float(sure[i]),
            accuracy=float(right[i]),
            band_low=float(band[0, i]),
            band_high=float(band[1, i]),
        )
        for i, b in enumerate(used)
    )
