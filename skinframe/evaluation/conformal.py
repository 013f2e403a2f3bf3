"""Conformal prediction sets: nonconformity scores, and the quantile that gives a stated coverage."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from skinframe.evaluation.bootstrap import group_index
from skinframe.weighted_statistics import Floats, Ints

Kind = Literal["lac", "aps", "raps"]
Sets = NDArray[np.bool_]


def oddness(probabilities: Floats, kind: Kind, *, penalty: float = 0.01, free: int = 2) -> Floats:
    """Return the nonconformity score of every class [N, C]; higher is odder.

    lac: 1 - p_c (Sadinle et al. 2019, arXiv:1609.00451). aps: the probability of all classes at least as likely as c,
    without the randomisation, so sets are a little too large (Romano et al. 2020, arXiv:2006.02544). raps: aps and
    `penalty` for each rank beyond `free` (Angelopoulos et al. 2021, arXiv:2009.14193).
    """
    if kind == "lac":
        return 1 - probabilities
    order = np.argsort(-probabilities, axis=1, kind="stable")
    total = np.cumsum(np.take_along_axis(probabilities, order, axis=1), axis=1)
    if kind == "raps":
        total = total + penalty * np.maximum(0, np.arange(1, probabilities.shape[1] + 1) - free)
    scores = np.empty_like(total)
    np.put_along_axis(scores, order, total, axis=1)
    return scores


def quantile(scores: Floats, alpha: float) -> float:
    """Return the ceil((n + 1) (1 - alpha))-th smallest score; infinity, and so every class, where n is too small."""
    n = len(scores)
    rank = math.ceil((n + 1) * (1 - alpha) - 1e-9)
    return math.inf if rank > n else float(np.sort(scores)[max(rank, 1) - 1])


@dataclass(frozen=True)
class Conformal:
    """A rule for sets: the threshold of each class, how many calibration samples stand behind each, and the kind."""

    thresholds: tuple[float, ...]
    counts: tuple[int, ...]
    kind: Kind
    alpha: float

    def sets(self, probabilities: Floats) -> Sets:
        """Return the classes in each sample's set [N, C]."""
        return np.asarray(oddness(probabilities, self.kind) <= np.asarray(self.thresholds))


def fit(labels: Ints, probabilities: Floats, *, alpha: float, kind: Kind = "lac", by_class: bool = False) -> Conformal:
    """Fit sets that hold the true class with probability 1 - alpha, on average over exchangeable samples.

    `by_class` (Mondrian) holds it for every class, from that class's calibration samples alone: what a malignant class
    needs. Raises ValueError for an alpha that is no share.
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is the share that may be missed, in (0, 1), got {alpha}")
    classes = probabilities.shape[1]
    own = np.take_along_axis(oddness(probabilities, kind), np.asarray(labels)[:, None], axis=1)[:, 0]
    if by_class:
        parts = [own[labels == c] for c in range(classes)]
        return Conformal(tuple(quantile(part, alpha) for part in parts), tuple(map(len, parts)), kind, alpha)
    return Conformal((quantile(own, alpha),) * classes, (len(own),) * classes, kind, alpha)


def fit_one_a_group(
    labels: Ints,
    probabilities: Floats,
    groups: Sequence[str],
    *,
    alpha: float,
    kind: Kind = "lac",
    by_class: bool = False,
    seed: int,
    rounds: int = 100,
) -> Conformal:
    """Fit as above on one sample a group, over and over, and take the median threshold (Dunn et al., arXiv:1809.07441).

    Samples of one patient are not exchangeable with those of another, but one drawn from each is. Each draw alone
    covers 1 - alpha; many draws together cover about as much in simulation, and 1 - 2 alpha is proven.
    """
    member, random = group_index(groups), np.random.default_rng(seed)
    order = np.argsort(member, kind="stable")
    starts = np.searchsorted(member[order], np.arange(int(member.max(initial=-1)) + 1))
    sizes = np.diff(np.append(starts, len(member)))
    fits = []
    for _ in range(rounds):
        rows = order[starts + random.integers(0, sizes)]
        fits.append(fit(labels[rows], probabilities[rows], alpha=alpha, kind=kind, by_class=by_class))
    # the median of thresholds some of which are infinite is one of them
    middle = np.sort([one.thresholds for one in fits], axis=0)[rounds // 2]
    counts = np.median([one.counts for one in fits], axis=0)
    return Conformal(tuple(map(float, middle)), tuple(int(n) for n in counts), kind, alpha)


def coverage_band(n: int, alpha: float, level: float = 0.95) -> tuple[float, float]:
    """Return where the coverage of all new samples lies in `level` of the calibration sets of n (Vovk 2012).

    It follows Beta(n + 1 - l, l), l = floor((n + 1) alpha); everything is covered where l is 0.
    """
    from scipy import stats

    missed = math.floor((n + 1) * alpha + 1e-9)
    if missed == 0:
        return 1.0, 1.0
    low, high = stats.beta.ppf(((1 - level) / 2, (1 + level) / 2), n + 1 - missed, missed)
    return float(low), float(high)
