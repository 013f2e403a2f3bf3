"""The data of a reliability diagram: how often the top class is right, by how sure the model was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skinframe.evaluation.floor import null_labels
from skinframe.evaluation.metrics_calibration import bin_of
from skinframe.evaluation.weighted import Floats, Ints


@dataclass(frozen=True)
class Bin:
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
) -> tuple[Bin, ...]:
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
        Bin(
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
