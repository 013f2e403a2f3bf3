"""A metric in each tier of distance from the training data, and its drop from the nearest tier."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skinframe.components import Metric
from skinframe.evaluation.bootstrap import Replicates, replicate
from skinframe.evaluation.hypothesis_tests import holm
from skinframe.evaluation.interval_methods import interval
from skinframe.evaluation.scores_with_intervals import checked
from skinframe.evaluation.subgroups import LEAST_GROUPS, between, two_sided, within
from skinframe.seeding import derive
from skinframe.weighted_statistics import Floats, Ints, Weighted


@dataclass(frozen=True, kw_only=True)
class TierScore:
    """One tier: its metric, how much worse than in the reference, p after Holm; NaN where it is not assessable.

    `drop` is over the `classes` that both have, and positive where the tier is worse. `shared` groups stand in both.
    """

    name: str
    n: int
    n_groups: int
    shared: int
    classes: int
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    drop: float = math.nan
    drop_low: float = math.nan
    drop_high: float = math.nan
    p: float = math.nan
    assessable: bool = False


def by_tier(
    values: Sequence[str | None],
    reference: str,
    metric: Metric,
    labels: Ints,
    probabilities: Floats,
    groups: Sequence[str],
    *,
    seed: int,
    resamples: int = 1000,
    level: float = 0.95,
    least: int = LEAST_GROUPS,
) -> tuple[TierScore, ...]:
    """Judge each tier, the reference first, and how much worse it is than the reference.

    Both sides of a drop come from the same draws of groups: a group that stands in both tiers keeps its images together
    (a paired difference), and tiers that share none vary independently (an unpaired one). Raises ValueError where
    lengths do not fit or nothing is of the reference.
    """
    labels, probabilities = checked(labels, probabilities, groups)
    names = np.array(["not recorded" if value is None else str(value) for value in values])
    if len(names) != len(labels) or reference not in names:
        raise ValueError(f"{len(names)} tiers for {len(labels)} samples, and '{reference}' must be among them")
    sizes = {name: _size(name, reference, names, labels, groups) for name in sorted(set(names.tolist()))}
    order = sorted(sizes, key=lambda name: (name != reference, name))
    used = [name for name in order if sizes[name].n_groups >= least]
    whole = metric.over(labels, probabilities)
    statistics: dict[str, Weighted] = {f"in {name}": within(whole, (names == name).astype(float)) for name in used}
    sign = 1.0 if metric.higher_is_better else -1.0
    for name in used[1:] if reference in used else []:
        both = np.intersect1d(labels[names == name], labels[names == reference])
        here, there = ((names == one) & np.isin(labels, both) for one in (reference, name))
        statistics[f"drop {name}"] = _times(sign, between(whole, here.astype(float), there.astype(float)))
    found = replicate(statistics, groups, seed=derive(seed, "tiers"), resamples=resamples)
    drops = {name: found[f"drop {name}"] for name in order if f"drop {name}" in found}
    adjusted = holm([two_sided(one) for one in drops.values()])
    p = {name: float(value) for name, value in zip(drops, adjusted, strict=True)}
    return tuple(_judged(sizes[name], found.get(f"in {name}"), drops.get(name), p.get(name), level) for name in order)


def _size(name: str, reference: str, names: np.ndarray, labels: Ints, groups: Sequence[str]) -> TierScore:
    inside, nearest = names == name, names == reference
    ids = np.asarray(groups)
    here, there = set(ids[inside].tolist()), set(ids[nearest].tolist())
    both = np.intersect1d(labels[inside], labels[nearest])
    return TierScore(name=name, n=int(inside.sum()), n_groups=len(here), shared=len(here & there), classes=len(both))


def _times(sign: float, statistic: Weighted) -> Weighted:
    return lambda weights: sign * statistic(weights)


def _judged(
    size: TierScore, own: Replicates | None, drop: Replicates | None, p: float | None, level: float
) -> TierScore:
    if own is None:
        return size
    low, high, _ = interval(own, level)
    found = {"value": own.estimate, "low": low, "high": high}
    if drop is not None and p is not None:
        drop_low, drop_high, _ = interval(drop, level)
        found |= {"drop": drop.estimate, "drop_low": drop_low, "drop_high": drop_high, "p": p}
    return TierScore(**{**vars(size), **found, "assessable": True})
