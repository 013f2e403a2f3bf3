"""No worse than, and as good as: claims that need a margin which was stated before the data were seen."""

from __future__ import annotations

import math
from dataclasses import dataclass

from skinframe.components import Metric
from skinframe.evaluation.bca import bounds, p_value
from skinframe.evaluation.bootstrap import Replicates


@dataclass(frozen=True, kw_only=True)
class Margin:
    """How much worse is still good enough, in the metric's own units, and where that was written down beforehand."""

    metric: str
    size: float
    stated: str

    def __post_init__(self) -> None:
        if not 0 < self.size < math.inf:
            raise ValueError(f"a margin must be positive, got {self.size}")
        if not self.stated.strip():
            raise ValueError("a margin must say where it was stated before the data were seen")


@dataclass(frozen=True)
class Verdict:
    """Whether the claim holds at this alpha, its p, and the interval of level 1 - 2 alpha that says the same."""

    holds: bool
    p: float
    low: float
    high: float
    claim: str


def non_inferior(difference: Replicates, metric: Metric, margin: Margin, alpha: float = 0.025) -> Verdict:
    """Test that the first model is worse than the second by less than the margin (one-sided).

    Raises ValueError where the margin was stated for another metric.
    """
    _same(metric, margin)
    sign = 1.0 if metric.higher_is_better else -1.0
    p = _one_sided(difference, -sign * margin.size, sign)
    low, high = bounds(difference, 1 - 2 * alpha)
    return Verdict(p < alpha, p, low, high, f"worse by less than {margin.size:g} ({margin.stated})")


def equivalent(difference: Replicates, metric: Metric, margin: Margin, alpha: float = 0.05) -> Verdict:
    """Test that two models differ by less than the margin, by two one-sided tests (TOST, Schuirmann 1987).

    Raises ValueError where the margin was stated for another metric.
    """
    _same(metric, margin)
    p = max(_one_sided(difference, -margin.size, 1.0), _one_sided(difference, margin.size, -1.0))
    low, high = bounds(difference, 1 - 2 * alpha)
    return Verdict(p < alpha, p, low, high, f"differ by less than {margin.size:g} ({margin.stated})")


def _same(metric: Metric, margin: Margin) -> None:
    if margin.metric != metric.name:
        raise ValueError(f"the margin was stated for '{margin.metric}', and the difference is of '{metric.name}'")


def _one_sided(difference: Replicates, null: float, sign: float) -> float:
    """Return the p of sign * (difference - null) > 0, from the interval that would just touch the null; NaN is 1."""
    two = p_value(difference, null)
    if math.isnan(two):
        return 1.0
    return two / 2 if sign * (difference.estimate - null) > 0 else 1 - two / 2
