"""Cluster bootstrap: whole groups (patients) are drawn with replacement, so that correlated lesions stay together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skinframe.evaluation.weighted import Floats, Ints, Weighted

CHUNK = 4_000_000  # weights held at a time; 32 MB


@dataclass(frozen=True)
class Replicates:
    """A statistic of the sample as it is, of each resample, and with each block of groups left out."""

    estimate: float
    resampled: Floats
    left_out: Floats


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
    whole = np.ones((1, len(members)))
    random = np.random.default_rng(seed)
    drawn = list(_in_chunks(statistics, _draws(random, count, resamples, members)))
    block = random.permutation(count) % min(count, blocks) if count else np.zeros(0, dtype=np.int64)
    left = list(_in_chunks(statistics, _omissions(block, members)))
    return {
        name: Replicates(
            estimate=float(statistic(whole)[0]),
            resampled=np.concatenate([chunk[name] for chunk in drawn] or [np.zeros(0)]),
            left_out=np.concatenate([chunk[name] for chunk in left] or [np.zeros(0)]),
        )
        for name, statistic in statistics.items()
    }


def _draws(random: np.random.Generator, count: int, resamples: int, members: Ints) -> Iterator[Floats]:
    """Yield multiplicities [r, N], drawn group by group; the draws do not depend on how they are cut into chunks."""
    rows = max(1, CHUNK // max(len(members), 1))
    for start in range(0, resamples if count else 0, rows):
        size = min(rows, resamples - start)
        picks = random.integers(0, count, size=(size, count))
        offsets = picks + count * np.arange(size)[:, None]
        times = np.bincount(offsets.ravel(), minlength=size * count).reshape(size, count)
        yield times.astype(np.float64)[:, members]


def _omissions(block: NDArray[np.int64], members: Ints) -> Iterator[Floats]:
    """Yield weights [r, N] that are 0 for the groups of one block and 1 for all others."""
    rows = max(1, CHUNK // max(len(members), 1))
    count = int(block.max(initial=-1)) + 1
    for start in range(0, count, rows):
        ids = np.arange(start, min(start + rows, count))
        yield (block[members][None, :] != ids[:, None]).astype(np.float64)


def _in_chunks(statistics: Mapping[str, Weighted], weights: Iterator[Floats]) -> Iterator[dict[str, Floats]]:
    for chunk in weights:
        yield {name: statistic(chunk) for name, statistic in statistics.items()}
