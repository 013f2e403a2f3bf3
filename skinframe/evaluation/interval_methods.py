"""From bootstrap replicates to an interval: expanded BCa, Korn-Graubard for shares, jackknife for bounded statistics.

The plain percentile interval covers about 92 % where it says 95 %. It is not centred for a skewed or biased statistic:
BCa corrects that (Efron 1987, doi 10.1080/01621459.1987.10478410). And it is too narrow when few groups matter. So the
normal quantile is replaced by t(df) * max(1, se_jackknife / se_bootstrap), which is Hesterberg's expanded percentile
(2015, doi 10.1080/00031305.2015.1089789) with two changes: the jackknife error, which does not fall short on average
(Efron and Stein 1981), in place of sqrt(G / (G - 1)); and degrees of freedom from the influence d_g of each group
(Satterthwaite 1946), df = 2 (sum d^2)^2 / (sum d^4 - (sum d^2)^2 / G), since a rare class sits in few of the G groups.

A statistic that cannot leave a span, such as the ISIC 2024 score, is skewed and biased where few positives decide it,
and BCa, which reads both off the resamples, still puts its low end above the truth too often. On the logit scale its
distribution is nearly symmetric, and the jackknife's bias needs no resample.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from skinframe.evaluation.bootstrap import Replicates, Trials
from skinframe.weighted_statistics import Floats

METHOD = "expanded BCa bootstrap"
RECENTRED = "recentred percentile bootstrap of the value expected at this n"
WIDEST = 1.5  # a statistic whose jackknife error is larger than this many bootstrap errors is not smooth


@dataclass(frozen=True)
class IntervalShape:
    """What bends an interval: the bias z0, the acceleration a, the degrees of freedom, and the stretch of the tails."""

    centre: float
    bend: float
    df: float
    stretch: float


def bounds(replicates: Replicates, level: float) -> tuple[float, float]:
    """Return the ends of the expanded BCa interval; NaN where too few resamples or groups define the statistic."""
    from scipy import special

    drawn, shape = _defined(replicates), shape_of(replicates)
    if shape is None:
        return math.nan, math.nan
    z = special.stdtrit(shape.df, (1 + level) / 2) * shape.stretch
    low, high = (float(np.quantile(drawn, special.ndtr(_corrected(end, shape)))) for end in (-z, z))
    return low, high


def recentred(replicates: Replicates, level: float, *, signed: bool = False) -> tuple[float, float]:
    """Return the percentile interval moved so that the resamples' mean is the estimate, not below 0 unless `signed`.

    For a statistic that noise only ever increases, such as ECE: resampling adds its noise a second time, which the
    move takes back. The interval is for the expected value at this n, the scale on which the null floor stands too.
    """
    if len(_defined(replicates)) < 2 or math.isnan(replicates.estimate):
        return math.nan, math.nan
    ends = np.quantile(_defined(centred(replicates)), ((1 - level) / 2, (1 + level) / 2))
    return float(ends[0]) if signed else max(0.0, float(ends[0])), float(ends[1])


def centred(replicates: Replicates) -> Replicates:
    """Return the replicates moved so that their mean is the estimate: the same for what is to be summed or averaged."""
    return replace(replicates, resampled=replicates.resampled - _defined(replicates).mean() + replicates.estimate)


def p_value(replicates: Replicates, null: float = 0.0) -> float:
    """Return the two-sided p at which the interval would just touch `null`; never below 2 / (resamples + 1).

    Resamples say nothing of the tail beyond the last of them: where all lie on one side of `null`, p is that of
    (estimate - null) / standard error under the same t distribution, if that is smaller.
    """
    from scipy import special

    drawn, shape = _defined(replicates), shape_of(replicates)
    if shape is None:
        return math.nan
    if not np.ptp(drawn) and drawn[0] == null:
        return 1.0
    moved = float(special.ndtri(_share_below(drawn, null))) - shape.centre
    z = moved / max(1 + shape.bend * moved, 1e-3) - shape.centre
    p = 2 * float(special.stdtr(shape.df, -abs(z) / shape.stretch))
    if (drawn.min() > null or drawn.max() < null) and np.ptp(drawn) > 0:
        error = float(drawn.std(ddof=1)) * shape.stretch
        p = min(p, 2 * float(special.stdtr(shape.df, -abs(replicates.estimate - null) / error)))
    return min(1.0, max(p, smallest_p(len(drawn))))


def smallest_p(resamples: int) -> float:
    """Return the smallest two-sided p that this number of resamples can give: 2 / (resamples + 1)."""
    return 2 / (resamples + 1)


def shape_of(replicates: Replicates) -> IntervalShape | None:
    """Return the shape of the interval; None where fewer than two resamples or blocks define the statistic."""
    from scipy import special

    drawn = _defined(replicates)
    left = replicates.left_out[~np.isnan(replicates.left_out)]
    if len(drawn) < 2 or len(left) < 2 or math.isnan(replicates.estimate):
        return None
    influence = np.asarray(left.mean() - left, dtype=np.float64)
    spread = float(np.square(influence).sum())
    jackknife, bootstrap = math.sqrt(jackknife_variance(left)), float(drawn.std(ddof=1))
    return IntervalShape(
        centre=float(special.ndtri(_share_below(drawn, replicates.estimate))),
        bend=float((influence**3).sum()) / (6 * spread**1.5) if spread > 0 else 0.0,
        df=degrees_of_freedom(influence),
        stretch=min(max(1.0, jackknife / bootstrap), WIDEST) if bootstrap > 0 else 1.0,
    )


def jackknife_variance(left_out: Floats) -> float:
    """Return (B - 1) / B sum (s_b - mean s)^2 of a statistic with each of B blocks left out; 0 where there is none."""
    left = left_out[~np.isnan(left_out)]
    return float(np.square(left.mean() - left).sum()) * (len(left) - 1) / len(left) if len(left) else 0.0


def degrees_of_freedom(influence: Floats) -> float:
    """Return the degrees of freedom of the jackknife variance, at least 1; G where the G influences are normal."""
    square = np.square(influence)
    excess = float(np.square(square).sum() - square.sum() ** 2 / max(len(square), 1))
    # equal influences have no excess: their variance is known as well as the groups are many
    return max(1.0, 2 * float(square.sum()) ** 2 / excess if excess > 0 else float(len(square)))


def _corrected(z: float, shape: IntervalShape) -> float:
    """Return z0 + (z0 + z) / (1 - a (z0 + z)); past its pole it would turn round, so it stops there."""
    moved = shape.centre + z
    return shape.centre + moved / max(1 - shape.bend * moved, 1e-3)


def _share_below(drawn: Floats, value: float) -> float:
    """Return the share of resamples below a value, ties half, kept half a resample away from 0 and 1."""
    below = ((drawn < value).sum() + (drawn <= value).sum()) / 2
    return float(np.clip(below, 0.5, len(drawn) - 0.5) / len(drawn))


def _defined(replicates: Replicates) -> Floats:
    drawn: Floats = replicates.resampled[~np.isnan(replicates.resampled)]
    return drawn


OF_A_SPAN = "jackknife interval on the logit scale"
END = 1e-9  # a share this near an end of the span has no logit that means anything


def logit_bounds(found: Replicates, span: tuple[float, float], level: float) -> tuple[float, float] | None:
    """Return the ends; None where the estimate, or one with a block left out, is undefined or at an end of the span.

    With z the logit of (s - low) / (high - low) and z_b that without block b of B: the centre is B z - (B - 1) mean z_b
    (Quenouille 1956, doi 10.1093/biomet/43.3-4.353), the variance that of the jackknife (Tukey 1958), and the quantile
    t's with the degrees of freedom of the influences mean z_b - z_b, as for BCa.
    """
    from scipy import special

    low, high = span
    share = (np.append(found.left_out, found.estimate) - low) / (high - low)
    if len(share) < 3 or not np.all((share > END) & (share < 1 - END)):  # NaN fails both
        return None
    *_, z = logits = special.logit(share)
    left = logits[:-1]
    centre = z - (len(left) - 1) * (left.mean() - z)
    quantile = special.stdtrit(degrees_of_freedom(left.mean() - left), (1 + level) / 2)
    half = quantile * math.sqrt(jackknife_variance(left))
    ends = special.expit([centre - half, centre + half])
    return float(low + (high - low) * ends[0]), float(low + (high - low) * ends[1])


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
