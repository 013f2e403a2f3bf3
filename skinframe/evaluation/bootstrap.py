"""Cluster bootstrap: whole groups (patients) are drawn with replacement, so that correlated lesions stay together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skinframe.weighted_statistics import Bounded, Floats, Ints, Share, Sums, Weighted

CHUNK = 4_000_000  # weights, or sums of them, held at a time; 32 MB


@dataclass(frozen=True)
class Trials:
    """Of a share: how many samples it is of, and how many groups those come from."""

    n: int
    groups: int


@dataclass(frozen=True)
class Replicates:
    """A statistic of the sample as it is, of each resample, and with each block of groups left out."""

    estimate: float
    resampled: Floats
    left_out: Floats
    trials: Trials | None = None  # where the statistic is a share
    span: tuple[float, float] | None = None  # where it cannot leave one


def group_index(groups: Sequence[str]) -> Ints:
    """Return each sample's group as a number from 0, in order of first appearance (never of hash or locale)."""
    order: dict[str, int] = {}
    return np.array([order.setdefault(group, len(order)) for group in groups], dtype=np.int64)


def replicate(
    statistics: Mapping[str, Weighted], groups: Sequence[str], *, seed: int, resamples: int, blocks: int = 1000
) -> dict[str, Replicates]:
    """Evaluate every statistic on the same resamples of groups, and on the sample without each block of groups.

    With at most `blocks` groups each is its own block; more are dealt at random into `blocks` blocks, which leaves
    the acceleration of BCa unbiased and its cost bounded.
    """
    members = group_index(groups)
    count = int(members.max(initial=-1)) + 1
    random = np.random.default_rng(seed)
    grouped = {name: _by_group(statistic, members, count) for name, statistic in statistics.items()}
    slow = any(not isinstance(statistic, Sums) for statistic in grouped.values())
    widest = max((one.columns.shape[1] for one in grouped.values() if isinstance(one, Sums)), default=0)
    rows = max(1, CHUNK // max(len(members) if slow else count, widest, 1))
    drawn = _evaluate(grouped, _draws(random, count, resamples, rows), members)
    block = random.permutation(count) % min(count, blocks) if count else np.zeros(0, dtype=np.int64)
    left = _evaluate(grouped, _omissions(block, rows), members)
    whole = np.ones((1, len(members)))
    return {
        name: Replicates(
            estimate=float(statistic(whole)[0]),
            resampled=drawn[name],
            left_out=left[name],
            trials=_trials(statistic, members),
            span=statistic.span if isinstance(statistic, Bounded) else None,
        )
        for name, statistic in statistics.items()
    }


def _trials(statistic: Weighted, members: Ints) -> Trials | None:
    if not isinstance(statistic, Share):
        return None
    return Trials(int(statistic.trials.sum()), len(np.unique(members[statistic.trials])))


def _by_group(statistic: Weighted, members: Ints, count: int) -> Weighted:
    """Return a statistic of sums as a function of the groups' multiplicities; any other as it is."""
    if not isinstance(statistic, Sums):
        return statistic
    from scipy import sparse

    size = len(members)
    member = sparse.csr_array((np.ones(size), (members, np.arange(size))), shape=(count, size))
    totals = member @ statistic.columns
    # a product with few zeros is faster as a plain array
    full = sparse.issparse(totals) and totals.shape[0] * totals.shape[1] <= 4 * totals.nnz
    return Sums(totals.toarray() if full else totals, statistic.finish)


def _evaluate(statistics: Mapping[str, Weighted], chunks: Iterable[Floats], members: Ints) -> dict[str, Floats]:
    """Return each statistic over all chunks of group multiplicities [r, G]."""
    found: dict[str, list[Floats]] = {name: [np.zeros(0)] for name in statistics}
    slow = any(not isinstance(statistic, Sums) for statistic in statistics.values())
    for times in chunks:
        weights = times[:, members] if slow else times
        for name, statistic in statistics.items():
            found[name].append(statistic(times if isinstance(statistic, Sums) else weights))
    return {name: np.concatenate(parts) for name, parts in found.items()}


def _draws(random: np.random.Generator, count: int, resamples: int, rows: int) -> Iterator[Floats]:
    """Yield multiplicities [r, G], drawn group by group; the draws do not depend on how they are cut into chunks."""
    for start in range(0, resamples if count else 0, rows):
        size = min(rows, resamples - start)
        picks = random.integers(0, count, size=(size, count))
        offsets = picks + count * np.arange(size)[:, None]
        times = np.bincount(offsets.ravel(), minlength=size * count).reshape(size, count)
        yield times.astype(np.float64)


def _omissions(block: NDArray[np.int64], rows: int) -> Iterator[Floats]:
    """Yield multiplicities [r, G] that are 0 for the groups of one block and 1 for all others."""
    count = int(block.max(initial=-1)) + 1
    for start in range(0, count, rows):
        ids = np.arange(start, min(start + rows, count))
        yield (block[None, :] != ids[:, None]).astype(np.float64)
