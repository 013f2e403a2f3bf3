"""Do two models err equally often on the same samples? Exact for independent samples, by score for clusters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skinframe.evaluation.bootstrap import group_index


@dataclass(frozen=True)
class McNemar:
    """Samples that only the first model names right, that only the second does, and the two-sided p."""

    first_only: int
    second_only: int
    p: float
    method: str


def mcnemar(first: NDArray[Any], second: NDArray[Any], *, mid: bool = True) -> McNemar:
    """Compare who is right [N] with who is right [N] by the binomial law of those who disagree (McNemar 1947).

    `mid` counts half of the probability of what was seen (Lancaster 1961): the exact test errs too rarely. p is 1
    where they never disagree.
    """
    from scipy import stats

    b, c = int((first & ~second).sum()), int((~first & second).sum())
    if b + c == 0:
        return McNemar(b, c, 1.0, "no sample on which they disagree")
    low = min(b, c)
    p = 2 * float(stats.binom.cdf(low, b + c, 0.5))
    p = p - float(stats.binom.pmf(low, b + c, 0.5)) if mid else p
    return McNemar(b, c, min(1.0, p), "McNemar, mid-p" if mid else "McNemar, exact")


def clustered_mcnemar(first: NDArray[Any], second: NDArray[Any], groups: Sequence[str]) -> McNemar:
    """Compare as above where samples of one group are correlated (Durkalski et al. 2003, doi 10.1002/sim.1438).

    With b_k and c_k the samples of group k that only the one or only the other names right, and n_k its size:
    chi^2 = (sum_k (b_k - c_k) / n_k)^2 / sum_k ((b_k - c_k) / n_k)^2, one degree of freedom.
    """
    from scipy import special

    member = group_index(groups)
    size = np.bincount(member)
    gap = np.bincount(member, weights=np.asarray(first, dtype=float) - np.asarray(second, dtype=float)) / size
    b, c = int((first & ~second).sum()), int((~first & second).sum())
    spread = float(np.square(gap).sum())
    p = float(special.chdtrc(1, float(gap.sum()) ** 2 / spread)) if spread > 0 else 1.0
    return McNemar(b, c, p, "McNemar, by group")
