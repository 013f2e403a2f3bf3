"""A statistic of some of the samples, and its difference from that of others, under one draw of groups."""

from __future__ import annotations

import math

import numpy as np

from skinframe.weighted import Bounded, Floats, Share, Weighted, dense

LEAST_GROUPS = 20  # patients in a cell; fewer are not assessable, and could be recognised


def within(whole: Weighted, inside: Floats) -> Weighted:
    """Return a statistic of the samples that `inside` [N] marks with 1."""
    if isinstance(whole, Share):  # stays one, so that a cell without an error has an interval
        return Share(dense(whole.columns) * inside[:, None], whole.finish, whole.trials & (inside > 0))
    if isinstance(whole, Bounded):
        from scipy import sparse

        return Bounded(sparse.diags_array(inside) @ whole.columns, whole.finish, whole.span)
    return lambda weights: whole(weights * inside)


def between(whole: Weighted, inside: Floats, other: Floats) -> Weighted:
    """Return the statistic inside minus that of `other` [N], both on the same draw of groups."""
    return lambda weights: whole(weights * inside) - whole(weights * other)


def two_sided(estimate: float, resampled: Floats) -> float:
    """Return the p of a gap from its bootstrap error by the normal law; NaN where the gap is not defined."""
    from scipy import special

    drawn = resampled[~np.isnan(resampled)]
    if math.isnan(estimate) or len(drawn) < 2 or drawn.std() == 0:
        return math.nan
    return float(2 * special.ndtr(-abs(estimate) / drawn.std(ddof=1)))
