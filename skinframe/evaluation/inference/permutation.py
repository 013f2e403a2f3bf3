"""Does it matter which model spoke? Whole groups swap their two predictions, as often as asked for."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from skinframe.components import Metric
from skinframe.evaluation.bootstrap import group_index
from skinframe.evaluation.intervals import checked
from skinframe.seeding import derive
from skinframe.weighted import Floats, Ints


def swap_p_value(
    metric: Metric,
    labels: Ints,
    probabilities_a: Floats,
    probabilities_b: Floats,
    groups: Sequence[str],
    *,
    seed: int,
    permutations: int = 1000,
) -> float:
    """Return the two-sided p that A and B are exchangeable: (1 + #{|d*| >= |d|}) / (permutations + 1).

    d is metric(A) - metric(B). Under the null a patient's two sets of predictions could stand under either name, so in
    each permutation each group swaps them by a fair coin. NaN where the metric is undefined on the samples.
    """
    labels, probabilities_a = checked(labels, probabilities_a, groups)
    _, probabilities_b = checked(labels, probabilities_b, groups)
    member, ones = group_index(groups), np.ones(len(labels))
    count = int(member.max(initial=-1)) + 1
    random = np.random.default_rng(derive(seed, "label swap"))

    def difference(swapped: Floats) -> float:
        a = np.where(swapped[:, None] > 0, probabilities_b, probabilities_a)
        b = np.where(swapped[:, None] > 0, probabilities_a, probabilities_b)
        return metric.value(labels, a, ones) - metric.value(labels, b, ones)

    observed = difference(np.zeros(len(labels)))
    if math.isnan(observed):
        return math.nan
    drawn = np.array([difference((random.random(count) < 0.5).astype(float)[member]) for _ in range(permutations)])
    drawn = drawn[~np.isnan(drawn)]
    reached = int((np.abs(drawn) >= abs(observed) - 1e-12).sum())
    return (1 + reached) / (len(drawn) + 1)
