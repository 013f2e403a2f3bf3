"""Statistics as functions of sample weights: what a metric is made of, so that a bootstrap sorts and bins only once.

Weights are [R, N]: R resamples of N samples, each entry the number of times that the sample was drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Weighted = Callable[[Floats], Floats]


@dataclass(frozen=True, eq=False)
class Sums:
    """A statistic of weighted sums: finish(weights @ columns), with columns [N, F], dense or scipy sparse.

    A bootstrap of groups adds up the columns of each group once and never looks at a sample again.
    """

    columns: Any
    finish: Weighted

    def __call__(self, weights: Floats) -> Floats:
        return self.finish(np.asarray(weights @ self.columns, dtype=np.float64))


@dataclass(frozen=True, eq=False)
class Share(Sums):
    """A share of trials; `trials` [N] says which samples are. Its interval is a proportion's, not a bootstrap's."""

    trials: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Bounded(Sums):
    """A statistic that cannot leave `span` and is skewed near its ends; its interval is made on the logit scale."""

    span: tuple[float, float]


def bounded(statistic: Weighted, low: float, high: float) -> Weighted:
    """Return a statistic of sums with its span; one that is not of sums as it is."""
    return Bounded(statistic.columns, statistic.finish, (low, high)) if isinstance(statistic, Sums) else statistic


def coded(codes: Ints, size: int, finish: Weighted) -> Sums:
    """Return the statistic of the total weight of each code in [0, size)."""
    from scipy import sparse

    count = len(codes)
    entries = (np.ones(count), np.asarray(codes, dtype=np.int64), np.arange(count + 1))
    return Sums(sparse.csr_array(entries, shape=(count, size)), finish)


def minus(a: Weighted, b: Weighted) -> Weighted:
    """Return the statistic a - b; of sums where both are."""
    if not (isinstance(a, Sums) and isinstance(b, Sums)):
        return lambda weights: a(weights) - b(weights)
    from scipy import sparse

    cut, parts = a.columns.shape[1], (a.columns, b.columns)
    rare = all(sparse.issparse(part) for part in parts)
    both = sparse.hstack(parts, format="csr") if rare else np.hstack([dense(part) for part in parts])
    return Sums(both, lambda sums: a.finish(sums[:, :cut]) - b.finish(sums[:, cut:]))


def dense(columns: Any) -> Floats:
    """Return columns as a plain array."""
    return np.asarray(columns.toarray() if hasattr(columns, "toarray") else columns, dtype=np.float64)


def once(function: Weighted, weights: Floats) -> float:
    """Return the value for a single vector of weights [N]."""
    return float(function(np.asarray(weights, dtype=np.float64)[None, :])[0])


def ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Divide element by element; NaN where the denominator is 0."""
    out: Floats = np.full(np.broadcast_shapes(numerator.shape, denominator.shape), np.nan)
    np.divide(numerator, denominator, out=out, where=denominator > 0)
    return out


def mean_of(per_sample: Floats) -> Sums:
    """Return the weighted mean of a number that each sample has, [N] -> ([R, N] -> [R])."""
    columns = np.stack([np.asarray(per_sample, dtype=np.float64), np.ones(len(per_sample))], axis=1)
    return Sums(columns, lambda sums: ratio(sums[:, 0], sums[:, 1]))


def share_of(hit: NDArray[Any], of: NDArray[Any]) -> Share:
    """Return the weighted share of the samples in `of` [N] that are in `hit` [N] too."""
    columns = np.stack([hit * of, of], axis=1).astype(np.float64)
    return Share(columns, lambda sums: ratio(sums[:, 0], sums[:, 1]), np.asarray(of) > 0)


def undefined(weights: Floats) -> Floats:
    """Return NaN for every resample: the statistic of a metric that these samples do not define."""
    return np.full(len(weights), np.nan)


def mean_defined(values: Floats) -> Floats:
    """Return the mean over the last axis of the entries that are not NaN; NaN where there is none."""
    known = ~np.isnan(values)
    return ratio(np.where(known, values, 0.0).sum(axis=-1), known.sum(axis=-1).astype(np.float64))


def mean_of_statistics(parts: list[Weighted]) -> Weighted:
    """Return the mean of those statistics that a resample defines."""
    if not parts:
        return undefined
    return lambda weights: mean_defined(np.stack([part(weights) for part in parts], axis=1))


def one_hot(labels: Ints, classes: int) -> Floats:
    """Return [N, C] with 1 at each sample's class."""
    hot: Floats = (np.asarray(labels)[:, None] == np.arange(classes)).astype(np.float64)
    return hot
