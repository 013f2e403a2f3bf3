"""Which samples stand in which optimiser step and micro-batch: a pure function of (seed, epoch)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skinframe.seeding import derive


def epoch_order(rows: Sequence[int], seed: int, epoch: int) -> list[int]:
    """Return the rows in this epoch's order."""
    shuffler = np.random.Generator(np.random.Philox(derive(seed, "order", epoch)))
    return [rows[i] for i in shuffler.permutation(len(rows))]


def epoch_steps(
    order: Sequence[int], lengths: Sequence[int], batch_size: int, max_tokens: int
) -> list[list[list[int]]]:
    """Cut an order into steps of `batch_size` samples, each into micro-batches of at most `max_tokens` padded tokens.

    Inside a step samples go by length, so that padding is small; a step's content is never changed by the budget.
    """
    return [
        micro_batches(order[start : start + batch_size], lengths, max_tokens)
        for start in range(0, len(order), batch_size)
    ]


def micro_batches(rows: Sequence[int], lengths: Sequence[int], max_tokens: int) -> list[list[int]]:
    """Fill micro-batches up to the token budget, longest last. A single sample over the budget stands alone."""
    batches: list[list[int]] = []
    for row in sorted(rows, key=lambda row: (lengths[row], row)):
        if batches and lengths[row] * (len(batches[-1]) + 1) <= max_tokens:
            batches[-1].append(row)
        else:
            batches.append([row])
    return batches


def view_of(seed: int, epoch: int, sample_id: str, views: int) -> int:
    """Return which stored dihedral view this sample shows in this epoch."""
    return derive(seed, epoch, sample_id, "view") % views if views > 1 else 0
