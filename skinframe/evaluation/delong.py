"""AUROC with analytic errors (DeLong), for independent samples and for clusters of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skinframe.evaluation.bootstrap import group_index
from skinframe.weighted_statistics import Floats


@dataclass(frozen=True, eq=False)
class AUROCs:
    """AUROC [m] of m models on the same samples, and their covariance [m, m]."""

    values: Floats
    covariance: Floats

    def difference(self, first: int = 0, second: int = 1, level: float = 0.95) -> tuple[float, float, float]:
        """Return first - second with its normal interval; NaN ends where no variance was seen."""
        from scipy import special

        gap, variance = self._gap(first, second)
        if not variance > 1e-15:
            return gap, math.nan, math.nan
        half = float(special.ndtri((1 + level) / 2)) * math.sqrt(variance)
        return gap, gap - half, gap + half

    def p_value(self, first: int = 0, second: int = 1) -> float:
        """Return the two-sided p that two models have the same area; 1 where they rank alike.

        NaN where no variance was seen and the areas differ, as where one is perfect: nothing says how sure that is.
        """
        from scipy import special

        gap, variance = self._gap(first, second)
        if math.isnan(variance):
            return math.nan
        if variance <= 1e-15:
            return 1.0 if abs(gap) < 1e-12 else math.nan
        return float(2 * special.ndtr(-abs(gap) / math.sqrt(variance)))

    def _gap(self, first: int, second: int) -> tuple[float, float]:
        """Return the difference of two areas and its variance."""
        c = self.covariance
        return float(self.values[first] - self.values[second]), float(
            c[first, first] + c[second, second] - 2 * c[first, second]
        )


def delong(positive: NDArray[Any], scores: Floats) -> AUROCs:
    """Areas of scores [m, N] for samples that are independent (DeLong et al. 1988, doi 10.2307/2531595).

    By mid-ranks in O(N log N) (Sun and Xu 2014, doi 10.1109/LSP.2014.2337313). NaN where a class has fewer than two.
    """
    truth, scores = _checked(positive, scores)
    of_positives, of_negatives = _components(truth, scores)
    values = _areas(of_positives, len(scores))
    if min(of_positives.shape[1], of_negatives.shape[1]) < 2:
        return AUROCs(values, np.full((len(scores), len(scores)), np.nan))
    covariance = np.cov(of_positives) / of_positives.shape[1] + np.cov(of_negatives) / of_negatives.shape[1]
    return AUROCs(values, np.atleast_2d(covariance))


def clustered_delong(positive: NDArray[Any], scores: Floats, groups: Sequence[str]) -> AUROCs:
    """Areas of scores [m, N] where samples of one group are correlated (Obuchowski 1997, doi 10.2307/2533958).

    With V the components of DeLong, summed over group i, less the area times its count:
    S10 = I10 / ((I10 - 1) n10) sum_i V10_i^2, S01 alike, S11 = I / (I - 1) sum_i V10_i V01_i,
    var = S10 / n10 + S01 / n01 + 2 S11 / (n10 n01), I10 and I01 being the groups that hold positives and negatives.
    """
    truth, scores = _checked(positive, scores)
    of_positives, of_negatives = _components(truth, scores)
    values, member = _areas(of_positives, len(scores)), group_index(groups)
    count, n10, n01 = int(member.max(initial=-1)) + 1, of_positives.shape[1], of_negatives.shape[1]
    i10, i01 = len(set(member[truth].tolist())), len(set(member[~truth].tolist()))
    if min(i10, i01) < 2:
        return AUROCs(values, np.full((len(scores), len(scores)), np.nan))
    a = _by_group(of_positives - values[:, None], member[truth], count)
    b = _by_group(of_negatives - values[:, None], member[~truth], count)
    s10, s01 = i10 / ((i10 - 1) * n10) * a @ a.T, i01 / ((i01 - 1) * n01) * b @ b.T
    s11 = count / (count - 1) * a @ b.T
    return AUROCs(values, s10 / n10 + s01 / n01 + (s11 + s11.T) / (n10 * n01))


def _checked(positive: NDArray[Any], scores: Floats) -> tuple[NDArray[np.bool_], Floats]:
    truth, scores = np.asarray(positive).astype(bool), np.atleast_2d(np.asarray(scores, dtype=np.float64))
    if scores.shape[1] != len(truth):
        raise ValueError(f"{len(truth)} labels do not fit scores {scores.shape}")
    return truth, scores


def _areas(of_positives: Floats, models: int) -> Floats:
    return np.asarray(of_positives.mean(axis=1)) if of_positives.shape[1] else np.full(models, np.nan)


def _components(truth: NDArray[np.bool_], scores: Floats) -> tuple[Floats, Floats]:
    """Return for each positive the share of negatives below it, and for each negative that of positives above it."""
    first, second = [], []
    for row in scores:
        high, low = np.sort(row[truth]), np.sort(row[~truth])
        first.append(_share_below(low, row[truth]))
        second.append(1 - _share_below(high, row[~truth]))
    return np.array(first), np.array(second)


def _share_below(ascending: Floats, values: Floats) -> Floats:
    sides = (np.searchsorted(ascending, values, side=side) for side in ("left", "right"))
    return np.asarray(sum(sides) / (2 * len(ascending)) if len(ascending) else np.full(len(values), np.nan))


def _by_group(values: Floats, member: NDArray[np.int64], count: int) -> Floats:
    return np.stack([np.bincount(member, weights=row, minlength=count) for row in values])
