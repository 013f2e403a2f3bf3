"""The interval of a share, such as sensitivity: exact in the tails where a bootstrap of few events sees nothing."""

from __future__ import annotations

import math

from skinframe.evaluation.bca import METHOD, bounds, jackknife_variance
from skinframe.evaluation.bootstrap import Replicates, Trials
from skinframe.evaluation.bounded import OF_A_SPAN, logit_bounds

OF_A_SHARE = "Korn-Graubard interval of a share"


def interval(found: Replicates, level: float) -> tuple[float, float, str]:
    """Return low and high and the name of the method: a share's own interval, a span's, or the bootstrap's."""
    if found.trials is not None:
        return *proportion_bounds(found, found.trials, level), OF_A_SHARE
    ends = None if found.span is None else logit_bounds(found, found.span, level)
    if ends is not None:
        return *ends, OF_A_SPAN
    return *bounds(found, level), METHOD


def clopper_pearson(hits: float, n: float, level: float) -> tuple[float, float]:
    """Return the exact interval of `hits` in `n` independent trials (Clopper and Pearson 1934); both may be fractions.

    low = B(a/2; x, n - x + 1), high = B(1 - a/2; x + 1, n - x), B the quantile of the beta law and a = 1 - level.
    """
    from scipy import special

    tail = (1 - level) / 2
    low = special.betaincinv(hits, n - hits + 1, tail) if hits > 0 else 0.0
    high = special.betaincinv(hits + 1, n - hits, 1 - tail) if hits < n else 1.0
    return float(low), float(high)


def proportion_bounds(found: Replicates, trials: Trials, level: float) -> tuple[float, float]:
    """Return Clopper-Pearson's interval at the effective number of trials (Korn & Graubard 1998, Surv. Methodol. 24).

    n* = p (1 - p) / v * (z / t(m - 1))^2, at most n, with v the jackknife variance over groups and m the groups that
    hold a trial. Where they have t(n - 1) it takes the normal quantile z, so that repeating photographs changes
    nothing. Where all trials agree there is no v, and each group counts as one trial: a patient's lesions may all have
    gone right together. NaN where there is no trial.
    """
    p = found.estimate
    if math.isnan(p) or trials.groups == 0:
        return math.nan, math.nan
    variance = jackknife_variance(found.left_out)
    if variance <= 0 or trials.groups == 1:
        effective = float(trials.groups)
    else:
        from scipy import special

        tail = (1 + level) / 2
        few = float(special.ndtri(tail) / special.stdtrit(trials.groups - 1, tail)) ** 2  # v comes from m groups
        effective = min(p * (1 - p) / variance * few, float(trials.n))
    return clopper_pearson(p * effective, effective, level)
