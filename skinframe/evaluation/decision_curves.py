"""Decision curves: net benefit of acting above a threshold, against treating all and treating none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skinframe.weighted_statistics import Floats, Sums, Weighted, ratio


def net_benefit(positive: NDArray[Any], scores: Floats, threshold: float, prevalence: float | None = None) -> Weighted:
    """NB(t) = sens pi - (1 - spec) (1 - pi) t / (1 - t): true positives less false ones at the rate that t accepts.

    (Vickers and Elkin 2006, doi 10.1177/0272989X06295361.) Positive is score >= t. pi is the share of positives here,
    or the `prevalence` where the model will be used: a set that was enriched says nothing of that by itself.
    """
    positive = np.asarray(positive).astype(bool)
    odds = threshold / (1 - threshold)
    acted = scores >= threshold
    columns = np.stack([positive & acted, ~positive & acted, positive, ~positive], axis=1).astype(np.float64)

    def values(sums: Floats) -> Floats:
        hits, alarms, ill, well = sums.T
        share = ratio(ill, ill + well) if prevalence is None else np.full(len(sums), prevalence)
        sensitivity, false_rate = ratio(hits, ill), ratio(alarms, well)
        if prevalence is None:  # one kind may be missing: its rate then has no weight
            sensitivity, false_rate = np.nan_to_num(sensitivity), np.nan_to_num(false_rate)
        return np.asarray(sensitivity * share - false_rate * (1 - share) * odds, dtype=np.float64)

    return Sums(columns, values)


def treat_all(threshold: float, prevalence: float) -> float:
    """Return the net benefit of acting on everybody; 0 where the threshold is the prevalence."""
    return prevalence - (1 - prevalence) * threshold / (1 - threshold)


def at_prevalence(scores: Floats, here: float, there: float) -> Floats:
    """Return probabilities corrected for another prevalence: odds times (there / (1 - there)) / (here / (1 - here)).

    Raises ValueError where either is not inside (0, 1).
    """
    if not (0 < here < 1 and 0 < there < 1):
        raise ValueError(f"prevalences must be in (0, 1), got {here} here and {there} there")
    up, down = there / here, (1 - there) / (1 - here)
    corrected: Floats = scores * up / (scores * up + (1 - scores) * down)
    return corrected


def thresholds(low: float, high: float, count: int = 10) -> Sequence[float]:
    """Return thresholds evenly over a range that was stated beforehand. Raises ValueError where it is none."""
    if not 0 < low < high < 1:
        raise ValueError(f"thresholds must satisfy 0 < low < high < 1, got {low} and {high}")
    return [float(t) for t in np.linspace(low, high, count)]
