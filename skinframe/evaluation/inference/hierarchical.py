"""A method over several seeds: what training's luck adds to that of the test patients."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skinframe.evaluation.bootstrap import replicate
from skinframe.seeding import derive
from skinframe.weighted import Weighted

FEW_SEEDS = 5


@dataclass(frozen=True)
class OverSeeds:
    """The mean over seeds with an interval for both kinds of luck, the spread over seeds, and every seed's value."""

    value: float
    low: float
    high: float
    sd: float
    values: tuple[float, ...]
    method: str
    warnings: tuple[str, ...] = ()


def over_seeds(
    statistics: Sequence[Weighted], groups: Sequence[str], *, seed: int, resamples: int = 2000, level: float = 0.95
) -> OverSeeds:
    """Resample seeds, then groups, of statistics that each stand for one seed on the same samples.

    A replicate draws the seeds with replacement and one set of groups for all of them, since all were judged on the
    same patients: the mean over drawn seeds. A paired difference is a statistic too. Few seeds know their own variance
    badly: the interval is stretched by t / z, with Satterthwaite's (1946) degrees of freedom of seeds, n - 1,
    and groups, G - 1. Raises ValueError for no seed.
    """
    if not statistics:
        raise ValueError("a hierarchical bootstrap needs at least one seed")
    named = {str(place): statistic for place, statistic in enumerate(statistics)}
    found = replicate(named, groups, seed=derive(seed, "bootstrap"), resamples=resamples, blocks=2)
    drawn = np.stack([found[name].resampled for name in named])
    values = np.array([found[name].estimate for name in named])
    count = len(values)
    random = np.random.default_rng(derive(seed, "seeds"))
    picks = random.integers(0, count, size=(count, resamples))
    means = np.take_along_axis(drawn, picks, axis=0).mean(axis=0)
    # resampling n seeds shows (n - 1) / n of their variance; the rest is put back, as noise around the mean
    spread = float(values.std(ddof=1)) if count > 1 else math.nan
    if count > 1:
        means = means + random.normal(size=resamples) * spread / count
    ends = ((1 - level) / 2, (1 + level) / 2)
    low, high = np.nanquantile(means, ends) if np.isfinite(means).any() else (math.nan, math.nan)
    centre, parts = float(values.mean()), (spread**2 / count, float(np.nanvar(drawn.mean(axis=0))))
    stretch = _stretch(parts, (count - 1, len(set(groups)) - 1), level) if count > 1 else 1.0
    said = (f"{count} seeds: fewer than {FEW_SEEDS} say little of training's luck",) if count < FEW_SEEDS else ()
    return OverSeeds(
        centre,
        centre - stretch * (centre - float(low)),
        centre + stretch * (float(high) - centre),
        spread,
        tuple(float(v) for v in values),
        f"{level:.0%} bootstrap of seeds, then groups, stretched by t / z, {resamples:,} resamples",
        said,
    )


def _stretch(variances: tuple[float, float], freedom: tuple[int, int], level: float) -> float:
    """Return t / z at (sum v)^2 / sum (v^2 / f) degrees of freedom; 1 where nothing varies."""
    from scipy import special

    doubt = sum(v**2 / f for v, f in zip(variances, freedom, strict=True) if f > 0)
    if not doubt > 0:
        return 1.0
    upper = (1 + level) / 2
    return float(special.stdtrit(sum(variances) ** 2 / doubt, upper) / special.ndtri(upper))
