"""Tests of a difference between two models: McNemar, non-inferiority, equivalence (TOST), and Holm correction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skinframe.components import Metric
from skinframe.evaluation.bootstrap import Replicates, group_index
from skinframe.evaluation.interval_methods import bounds, p_value
from skinframe.weighted_statistics import Floats


@dataclass(frozen=True)
class McNemarResult:
    """Samples that only the first model names right, that only the second does, and the two-sided p."""

    first_only: int
    second_only: int
    p: float
    method: str


def mcnemar(first: NDArray[Any], second: NDArray[Any]) -> McNemarResult:
    """Compare correctness [N] of two models on independent samples by the discordant pairs (McNemar 1947), mid-p.

    The mid-p counts half of the probability of what was seen (Lancaster 1961); the exact test is conservative. p is 1
    where no pair is discordant.
    """
    from scipy import stats

    b, c = int((first & ~second).sum()), int((~first & second).sum())
    if b + c == 0:
        return McNemarResult(b, c, 1.0, "no discordant pair")
    low = min(b, c)
    p = 2 * float(stats.binom.cdf(low, b + c, 0.5))
    p -= float(stats.binom.pmf(low, b + c, 0.5))
    return McNemarResult(b, c, min(1.0, p), "McNemar, mid-p")


def clustered_mcnemar(first: NDArray[Any], second: NDArray[Any], groups: Sequence[str]) -> McNemarResult:
    """Compare as above where samples of one group are correlated (Durkalski et al. 2003, doi 10.1002/sim.1438).

    With b_k and c_k the samples of group k that only the one or only the other names right, and n_k its size:
    chi^2 = (sum_k (b_k - c_k) / n_k)^2 / sum_k ((b_k - c_k) / n_k)^2, one degree of freedom.
    """
    from scipy import special

    member = group_index(groups)
    size = np.bincount(member)
    gap = np.bincount(member, weights=np.asarray(first, dtype=float) - np.asarray(second, dtype=float)) / size
    b, c = int((first & ~second).sum()), int((~first & second).sum())
    spread = float(np.square(gap).sum())
    p = float(special.chdtrc(1, float(gap.sum()) ** 2 / spread)) if spread > 0 else 1.0
    return McNemarResult(b, c, p, "McNemar, clustered")


@dataclass(frozen=True, kw_only=True)
class Margin:
    """The largest difference that does not matter, in the units of a metric; fixed before the data were seen."""

    metric: str
    size: float

    def __post_init__(self) -> None:
        if not 0 < self.size < math.inf:
            raise ValueError(f"a margin must be positive, got {self.size}")


@dataclass(frozen=True)
class MarginTest:
    """Whether the claim holds at alpha, its p, and the interval of level 1 - 2 alpha that decides the same."""

    holds: bool
    p: float
    low: float
    high: float
    claim: str
    alpha: float


def non_inferior(difference: Replicates, metric: Metric, margin: Margin, alpha: float = 0.025) -> MarginTest:
    """Test that the first model is worse than the second by less than the margin (one-sided).

    Raises ValueError where the margin was stated for another metric.
    """
    _same(metric, margin)
    sign = 1.0 if metric.higher_is_better else -1.0
    p = _one_sided(difference, -sign * margin.size, sign)
    low, high = bounds(difference, 1 - 2 * alpha)
    return MarginTest(p < alpha, p, low, high, f"worse by less than {margin.size:g}", alpha)


def equivalent(difference: Replicates, metric: Metric, margin: Margin, alpha: float = 0.05) -> MarginTest:
    """Test that two models differ by less than the margin, by two one-sided tests (TOST, Schuirmann 1987).

    Raises ValueError where the margin was stated for another metric.
    """
    _same(metric, margin)
    p = max(_one_sided(difference, -margin.size, 1.0), _one_sided(difference, margin.size, -1.0))
    low, high = bounds(difference, 1 - 2 * alpha)
    return MarginTest(p < alpha, p, low, high, f"differ by less than {margin.size:g}", alpha)


def _same(metric: Metric, margin: Margin) -> None:
    if margin.metric != metric.name:
        raise ValueError(f"the margin was stated for '{margin.metric}', and the difference is of '{metric.name}'")


def _one_sided(difference: Replicates, null: float, sign: float) -> float:
    """Return the p of sign * (difference - null) > 0, from the interval that would just touch the null; NaN is 1."""
    two = p_value(difference, null)
    if math.isnan(two):
        return 1.0
    return two / 2 if sign * (difference.estimate - null) > 0 else 1 - two / 2


ALPHA = 0.05


def resamples_for(tests: int, *, least: int = 1000, alpha: float = ALPHA) -> int:
    """Return how many resamples a family of so many tests needs, at least `least`.

    The smallest p of R resamples is 2 / (R + 1). Holm multiplies the smallest of a family by its size, so that many
    tests on few resamples could never reach alpha. Here the smallest adjusted p is at most alpha / 2.
    """
    return max(least, math.ceil(4 * tests / alpha))


def holm(p_values: Sequence[float]) -> Floats:
    """Return p-values adjusted so that any false positive stays as rare as stated (Holm 1979); NaN is no test.

    Raises ValueError for a p-value outside [0, 1].
    """
    given = np.asarray(p_values, dtype=np.float64)
    if np.any((given < 0) | (given > 1)):
        raise ValueError("p-values must be in [0, 1]")
    adjusted = given.copy()
    known = np.flatnonzero(~np.isnan(given))
    order = known[np.argsort(given[known], kind="stable")]
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(given[order] * np.arange(len(order), 0, -1)))
    return adjusted
