"""Subgroup performance: a metric in each subgroup; subgroups too small to assess are left out of every comparison."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skinframe.components import Metric
from skinframe.evaluation.bootstrap import Replicates, replicate
from skinframe.evaluation.hypothesis_tests import holm
from skinframe.evaluation.interval_methods import degrees_of_freedom, interval, jackknife_variance
from skinframe.evaluation.scores_with_intervals import checked
from skinframe.seeding import derive
from skinframe.weighted_statistics import Bounded, Floats, Ints, Share, Weighted, dense

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


def shared_classes(labels: Ints, one: np.ndarray, other: np.ndarray) -> Ints:
    """Return the classes that both of two sets of samples [N] have."""
    return np.intersect1d(labels[one], labels[other])


def two_sided(gap: Replicates) -> float:
    """Return the p of a gap by a t distribution; NaN where the gap is not defined or does not vary.

    The error is the larger of the jackknife's and the bootstrap's, the degrees of freedom are those of the groups'
    influences: a small cell's error is known badly, and a normal law would call 1 gap of 8 real where none is.
    """
    from scipy import special

    drawn, left = (values[~np.isnan(values)] for values in (gap.resampled, gap.left_out))
    if math.isnan(gap.estimate) or len(drawn) < 2 or len(left) < 2:
        return math.nan
    error = max(math.sqrt(jackknife_variance(left)), float(drawn.std(ddof=1)))
    if error == 0:
        return math.nan
    return float(2 * special.stdtr(degrees_of_freedom(left.mean() - left), -abs(gap.estimate) / error))


@dataclass(frozen=True)
class SubgroupScore:
    """One subgroup: its metric, the gap to everybody else's, its p after Holm; NaN where it is not assessable.

    The gap is over the `classes` that the subgroup and the rest both have.
    """

    name: str
    n: int
    n_groups: int
    classes: int
    value: float
    low: float
    high: float
    gap: float
    p: float
    assessable: bool


@dataclass(frozen=True)
class SubgroupScores:
    """The cells of one field, the largest difference between two of them and its p; NaN where fewer than two count."""

    field: str
    metric: str
    cells: tuple[SubgroupScore, ...]
    worst: str
    largest_gap: float
    p: float


def by_subgroup(
    field: str,
    values: Sequence[str | None],
    metric: Metric,
    labels: Ints,
    probabilities: Floats,
    groups: Sequence[str],
    *,
    seed: int,
    resamples: int = 1000,
    level: float = 0.95,
    least: int = LEAST_GROUPS,
) -> SubgroupScores:
    """Judge each value of a field; unknown values are a cell of their own, 'not recorded'.

    Two sides of a gap are compared over the classes that both have: a mean over classes of which one side lacks the
    hardest would differ without any difference in recall. The p of a cell is of its gap to everybody else. The p of
    the largest gap asks how often groups dealt to cells at random would differ as much: whole groups trade places, so a
    field must not vary within a patient to be exact.
    Raises ValueError where lengths do not fit.
    """
    labels, probabilities = checked(labels, probabilities, groups)
    names = np.array(["not recorded" if value is None else str(value) for value in values])
    if len(names) != len(labels):
        raise ValueError(f"{len(names)} values of {field} do not fit {len(labels)} samples")
    group = np.asarray(groups)
    counts = {str(name): len(set(group[names == name].tolist())) for name in sorted(set(names.tolist()))}
    used = [name for name, count in counts.items() if count >= least]
    whole = metric.over(labels, probabilities)
    statistics: dict[str, Weighted] = {}
    for name in used:
        inside = names == name
        both = np.isin(labels, shared_classes(labels, inside, ~inside))
        statistics[f"in {name}"] = within(whole, inside.astype(np.float64))
        statistics[f"gap {name}"] = between(whole, (inside & both).astype(float), (~inside & both).astype(float))
    found = replicate(statistics, groups, seed=derive(seed, "subgroups", field), resamples=resamples)
    gaps = {name: found[f"gap {name}"] for name in used}
    p = dict(zip(used, holm([two_sided(gaps[name]) for name in used]), strict=True))
    cells = [
        _cell(name, labels, names == name, count, found.get(f"in {name}"), gaps.get(name), p.get(name, math.nan), level)
        for name, count in counts.items()
    ]
    rated = {cell.name: cell.value for cell in cells if not math.isnan(cell.value)}
    pick = min if metric.higher_is_better else max
    worst = pick(rated, key=lambda name: rated[name]) if rated else ""
    largest, p_largest = _largest(metric, labels, probabilities, group, names, used, seed, resamples)
    return SubgroupScores(field, metric.name, tuple(cells), worst, largest, p_largest)


def _cell(
    name: str,
    labels: Ints,
    inside: np.ndarray,
    n_groups: int,
    own: Replicates | None,
    gap: Replicates | None,
    p: float,
    level: float,
) -> SubgroupScore:
    low, high = (math.nan, math.nan) if own is None else interval(own, level)[:2]
    return SubgroupScore(
        name=name,
        n=int(inside.sum()),
        n_groups=n_groups,
        classes=len(shared_classes(labels, inside, ~inside)),
        value=math.nan if own is None else own.estimate,
        low=low,
        high=high,
        gap=math.nan if gap is None else gap.estimate,
        p=float(p),
        assessable=own is not None,
    )


def _largest(
    metric: Metric,
    labels: Ints,
    probabilities: Floats,
    group: np.ndarray,
    names: np.ndarray,
    used: Sequence[str],
    seed: int,
    draws: int,
) -> tuple[float, float]:
    keep = np.isin(names, used)
    if len(used) < 2:
        return math.nan, math.nan
    labels = labels[keep]
    whole = metric.over(labels, probabilities[keep])
    ids, member = np.unique(group[keep], return_inverse=True)
    cell = np.zeros(len(ids), dtype=np.int64)
    cell[member] = np.searchsorted(sorted(used), names[keep])
    observed = _widest(whole, labels, np.searchsorted(sorted(used), names[keep]), len(used))
    random = np.random.default_rng(derive(seed, "largest gap"))
    dealt = [_widest(whole, labels, random.permutation(cell)[member], len(used)) for _ in range(draws)]
    if math.isnan(observed):
        return observed, math.nan
    reached = sum(one >= observed - 1e-12 for one in dealt)
    return observed, (1 + reached) / (draws + 1)


def _widest(whole: Weighted, labels: Ints, cell: Ints, cells: int) -> float:
    """Return the largest gap between two cells, each pair over the classes that both have; NaN where there is none."""
    has = np.array([np.bincount(labels[cell == one], minlength=int(labels.max()) + 1) > 0 for one in range(cells)])
    pairs = [(a, b) for a in range(cells) for b in range(a + 1, cells) if (has[a] & has[b]).any()]
    sides = [(cell == one) & (has[a] & has[b])[labels] for a, b in pairs for one in (a, b)]
    if not sides:
        return math.nan
    values = whole(np.stack(sides).astype(np.float64)).reshape(-1, 2)
    gaps = np.abs(values[:, 0] - values[:, 1])
    return float(np.nanmax(gaps)) if not np.isnan(gaps).all() else math.nan
