"""Bootstrap over seeds and groups: the variance that training adds to that of the test patients."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skinframe.evaluation.bootstrap import Replicates
from skinframe.seeding import derive
from skinframe.weighted_statistics import Floats

FEW_SEEDS = 5
HALVINGS = 20  # of the level, in search of a p-value: to 1e-6


@dataclass(frozen=True)
class OverSeeds:
    """The mean over seeds with an interval for both kinds of luck, the spread over seeds, and every seed's value.

    `p` is two-sided, against a mean of 0: it tests a paired difference, and means nothing of a score. NaN for one seed.
    """

    value: float
    low: float
    high: float
    sd: float
    values: tuple[float, ...]
    method: str
    warnings: tuple[str, ...] = ()
    p: float = math.nan


def over_seeds(found: Sequence[Replicates], groups: int, *, seed: int, level: float = 0.95) -> OverSeeds:
    """Resample seeds, then groups: from one statistic per seed, all on the same resamples of `groups` groups.

    A replicate draws the seeds with replacement and one set of groups for all of them, since all were judged on the
    same patients: the mean over drawn seeds. A paired difference is a statistic too. Few seeds know their own variance
    badly: the interval is stretched by t / z, with Satterthwaite's (1946) degrees of freedom of seeds, n - 1,
    and groups, G - 1. Raises ValueError for no seed.
    """
    if not found:
        raise ValueError("a hierarchical bootstrap needs at least one seed")
    drawn = np.stack([one.resampled for one in found])
    values = np.array([one.estimate for one in found])
    count, resamples = drawn.shape
    random = np.random.default_rng(derive(seed, "seeds"))
    picks = random.integers(0, count, size=(count, resamples))
    means = np.take_along_axis(drawn, picks, axis=0).mean(axis=0)
    # resampling n seeds shows (n - 1) / n of their variance; the rest is put back, as noise around the mean
    spread = float(values.std(ddof=1)) if count > 1 else math.nan
    if count > 1:
        means = means + random.normal(size=resamples) * spread / count
    parts = (spread**2 / count, float(np.nanvar(drawn.mean(axis=0))))
    freedom = (count - 1, groups - 1) if count > 1 else None
    both = _Both(float(values.mean()), means, parts, freedom)
    low, high = both.ends(level)
    said = (f"{count} seeds: fewer than {FEW_SEEDS} say little of training's luck",) if count < FEW_SEEDS else ()
    return OverSeeds(
        both.centre,
        low,
        high,
        spread,
        tuple(float(v) for v in values),
        f"{level:.0%} bootstrap of seeds, then groups, stretched by t / z, {resamples:,} resamples",
        said,
        both.p_value() if count > 1 else math.nan,
    )


@dataclass(frozen=True, eq=False)
class _Both:
    """Replicates of a mean over seeds [R], the variances of seeds and groups, and what each is known by."""

    centre: float
    means: Floats
    parts: tuple[float, float]
    freedom: tuple[int, int] | None  # None: nothing is known of the seeds' variance, and nothing is stretched

    def ends(self, level: float) -> tuple[float, float]:
        """Return the ends of the stretched interval; NaN where no resample defines the statistic."""
        if not np.isfinite(self.means).any():
            return math.nan, math.nan
        low, high = np.nanquantile(self.means, ((1 - level) / 2, (1 + level) / 2))
        stretch = 1.0 if self.freedom is None else _stretch(self.parts, self.freedom, level)
        return self.centre - stretch * (self.centre - float(low)), self.centre + stretch * (float(high) - self.centre)

    def p_value(self) -> float:
        """Return the level at which the interval just touches 0, taken from 1; never below 2 / (R + 1)."""
        if not np.isfinite(self.means).any():
            return math.nan
        least = 2 / (len(self.means) + 1)
        kept, left_out = 1 - least, 0.0  # levels whose interval holds 0, and does not
        if self._leaves_out(kept):
            return least
        for _ in range(HALVINGS):
            level = (kept + left_out) / 2
            kept, left_out = (kept, level) if self._leaves_out(level) else (level, left_out)
        return min(1.0, 1 - left_out)

    def _leaves_out(self, level: float) -> bool:
        low, high = self.ends(level)
        return low > 0 or high < 0


def _stretch(variances: tuple[float, float], freedom: tuple[int, int], level: float) -> float:
    """Return t / z at (sum v)^2 / sum (v^2 / f) degrees of freedom; 1 where nothing varies."""
    from scipy import special

    doubt = sum(v**2 / f for v, f in zip(variances, freedom, strict=True) if f > 0)
    if not doubt > 0:
        return 1.0
    upper = (1 + level) / 2
    return float(special.stdtrit(sum(variances) ** 2 / doubt, upper) / special.ndtri(upper))
