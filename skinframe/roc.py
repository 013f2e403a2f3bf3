"""ROC and precision-recall curves as functions of sample weights, exact with ties.

Between two neighbouring scores of positives nothing but the number of negatives matters. So a curve of m distinct
positive scores is the sums of 3 m + 1 codes: positives at score j, negatives at score j, negatives between two.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skinframe.weighted_statistics import Floats, Weighted, coded, ratio, undefined


@dataclass(frozen=True, eq=False)
class Curve:
    """The vertices of R curves from the highest score down, as weights: `hits` and `alarms` [R, 2 m + 2] are the
    positives and negatives so far; `here` [R, m] the positives at each score."""

    hits: Floats
    alarms: Floats
    here: Floats

    @property
    def tpr(self) -> Floats:
        return ratio(self.hits, self.hits[:, -1:])

    @property
    def fpr(self) -> Floats:
        return ratio(self.alarms, self.alarms[:, -1:])


def of_curve(positive: NDArray[Any], scores: NDArray[Any], area: Callable[[Curve], Floats]) -> Weighted:
    """Return a statistic of the ROC curve of scores [N], of which only the order is read; ties are straight lines."""
    positive = np.asarray(positive).astype(bool)
    levels = np.unique(np.asarray(scores)[positive])[::-1]
    m = len(levels)
    if not m:
        return undefined
    ascending = levels[::-1]
    # how many positive scores lie above each sample, and whether its own score is one of them
    above = m - np.searchsorted(ascending, scores, side="right")
    at = m - np.searchsorted(ascending, scores, side="left") > above
    codes = np.where(positive, above, np.where(at, m + above, 2 * m + above))

    def finish(sums: Floats) -> Floats:
        return area(_vertices(sums, m))

    return coded(codes, 3 * m + 1, finish)


def _vertices(sums: Floats, m: int) -> Curve:
    """Walk from the highest score: negatives above it, then at each score a line, then negatives below it."""
    here, tied, between = sums[:, :m], sums[:, m : 2 * m], sums[:, 2 * m :]
    up = np.zeros((len(sums), 2 * m + 2))
    along = np.zeros_like(up)
    up[:, 2::2] = here
    along[:, 1::2] = between
    along[:, 2::2] = tied
    return Curve(np.cumsum(up, axis=1), np.cumsum(along, axis=1), here)


def auroc(positive: NDArray[Any], scores: NDArray[Any]) -> Weighted:
    """P(score of a positive > score of a negative) + P(tie) / 2 (Hanley and McNeil 1982)."""
    return of_curve(positive, scores, whole_area)


def whole_area(curve: Curve) -> Floats:
    """Return the area under each curve; NaN where a class is missing."""
    width, height = np.diff(curve.alarms, axis=1), (curve.hits[:, 1:] + curve.hits[:, :-1]) / 2
    return ratio((width * height).sum(axis=1), curve.hits[:, -1] * curve.alarms[:, -1])


def area_above_tpr(curve: Curve, least: float) -> Floats:
    """Return the integral of max(TPR - least, 0) over FPR, in [0, 1 - least]."""
    high = np.clip(curve.tpr - least, 0.0, None)
    rise, width = np.diff(curve.tpr, axis=1), np.diff(curve.fpr, axis=1)
    # a line that crosses the bound counts from where it crosses
    inside = np.where((high[:, :-1] == 0) & (rise > 0), high[:, 1:] / np.where(rise > 0, rise, 1.0), 1.0)
    return np.asarray((width * inside * (high[:, 1:] + high[:, :-1]) / 2).sum(axis=1), dtype=np.float64)


def area_below_fpr(curve: Curve, most: float) -> Floats:
    """Return the integral of TPR over FPR from 0 to `most`."""
    end = np.minimum(curve.fpr, most)
    width, whole = np.diff(end, axis=1), np.diff(curve.fpr, axis=1)
    reached = np.where(whole > 0, width / np.where(whole > 0, whole, 1.0), 0.0)
    low, rise = curve.tpr[:, :-1], np.diff(curve.tpr, axis=1)
    return np.asarray((width * (low + rise * reached / 2)).sum(axis=1), dtype=np.float64)


def average_precision(positive: NDArray[Any], scores: NDArray[Any]) -> Weighted:
    """Sum over scores of the recall gained there times the precision there (never the trapezoid, which flatters)."""

    def area(curve: Curve) -> Floats:
        hits, alarms = curve.hits[:, 2::2], curve.alarms[:, 2::2]
        precision = np.nan_to_num(ratio(hits, hits + alarms))
        return ratio((curve.here * precision).sum(axis=1), curve.hits[:, -1])

    return of_curve(positive, scores, area)
