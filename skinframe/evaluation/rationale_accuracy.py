"""Accuracy of the attributes that a rationale mentions, against the annotation and against the majority answer.

A rationale lists what it sees, so an attribute that it does not mention is counted as stated absent; the share that
it does mention is reported beside. Attributes whose truth is unknown are not scored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skinframe.evaluation.bootstrap import replicate
from skinframe.evaluation.scores_with_intervals import PairedDifference, Score, difference_of, score_of
from skinframe.seeding import derive
from skinframe.weighted_statistics import Floats, Weighted, mean_defined, ratio

Mentions = Sequence[tuple[bool | None, ...]]


@dataclass(frozen=True)
class AttributeScore:
    """One attribute: in how many samples it is there and is named, how often that agrees, how often the majority
    answer does, and both kinds of agreement apart; NaN where undefined."""

    name: str
    n: int
    present: int
    named: int
    accuracy: float
    majority: float
    sensitivity: float
    specificity: float


@dataclass(frozen=True)
class RationaleScores:
    """Attribute accuracy over all known (sample, attribute) pairs, that of always saying the usual, and the gain.

    `balanced` is the mean over attributes of (sensitivity + specificity) / 2, which is 0.5 for any constant answer.
    """

    accuracy: Score
    balanced: Score
    baseline: Score
    gain: PairedDifference
    mentioned: float
    attributes: tuple[AttributeScore, ...]


def score_rationales(
    mentions: Mentions,
    truth: Mentions,
    truth_train: Mentions,
    attributes: Sequence[str],
    groups: Sequence[str],
    *,
    seed: int,
    resamples: int = 1000,
    level: float = 0.95,
) -> RationaleScores:
    """Score what rationales mention against the truth, both one tuple of attributes a sample.

    The baseline says of each attribute what is more often true in the training split (a tie: absent).
    Raises ValueError where lengths do not fit.
    """
    if not len(mentions) == len(truth) == len(groups):
        raise ValueError(f"{len(mentions)} rationales, {len(truth)} truths and {len(groups)} groups do not fit")
    claimed = _table(mentions, len(attributes)) == 1
    real, usual = _table(truth, len(attributes)), majority(truth_train, len(attributes))
    written, constant = agreement(claimed, real), agreement(np.broadcast_to(usual, claimed.shape), real)
    statistics: dict[str, Weighted] = {
        "accuracy": written,
        "balanced": balanced_agreement(claimed, real),
        "baseline": constant,
        "gain": lambda weights: written(weights) - constant(weights),
    }
    found = replicate(statistics, groups, seed=derive(seed, "bootstrap"), resamples=resamples)
    scores = {name: score_of(one, len(truth), groups, level=level, resamples=resamples) for name, one in found.items()}
    return RationaleScores(
        accuracy=scores["accuracy"],
        balanced=scores["balanced"],
        baseline=scores["baseline"],
        gain=difference_of(found["gain"], len(truth), groups, level=level, resamples=resamples),
        mentioned=float((~np.isnan(_table(mentions, len(attributes)))).mean()) if claimed.size else float("nan"),
        attributes=attribute_rows(claimed, real, usual, attributes),
    )


def agreement(claimed: NDArray[np.bool_], real: Floats) -> Weighted:
    """Share of known (sample, attribute) pairs where the claim [N, A] is the truth [N, A]; NaN truth is unknown."""
    known = (~np.isnan(real)).sum(axis=1).astype(np.float64)
    right = (claimed == real).sum(axis=1).astype(np.float64)
    return lambda weights: ratio(weights @ right, weights @ known)


def balanced_agreement(claimed: NDArray[np.bool_], real: Floats) -> Weighted:
    """Mean over attributes of (sensitivity + specificity) / 2, of those that are both there and not there."""
    there, gone = (real == 1).astype(np.float64), (real == 0).astype(np.float64)
    named, unnamed = there * claimed, gone * ~claimed
    return lambda weights: mean_defined(
        (ratio(weights @ named, weights @ there) + ratio(weights @ unnamed, weights @ gone)) / 2
    )


def majority(truth: Mentions, attributes: int) -> NDArray[np.bool_]:
    """Return for each attribute whether it is present in more than half of the samples where it is known."""
    table = _table(truth, attributes)
    return np.asarray((table == 1).sum(axis=0) > (table == 0).sum(axis=0))


def attribute_rows(
    claimed: NDArray[np.bool_], real: Floats, usual: NDArray[np.bool_], attributes: Sequence[str]
) -> tuple[AttributeScore, ...]:
    """Return accuracy, the majority answer's accuracy, sensitivity and specificity of each attribute."""
    there, gone = real == 1, real == 0
    counts = [part.sum(axis=0).astype(np.float64) for part in (there & claimed, there, gone & ~claimed, gone)]
    sensitivity, specificity = ratio(counts[0], counts[1]), ratio(counts[2], counts[3])
    known = counts[1] + counts[3]
    accuracy, constant = ratio(counts[0] + counts[2], known), ratio(np.where(usual, counts[1], counts[3]), known)
    return tuple(
        AttributeScore(
            name=name,
            n=int(counts[1][a] + counts[3][a]),
            present=int(counts[1][a]),
            named=int((claimed[:, a] & (there | gone)[:, a]).sum()),
            accuracy=float(accuracy[a]),
            majority=float(constant[a]),
            sensitivity=float(sensitivity[a]),
            specificity=float(specificity[a]),
        )
        for a, name in enumerate(attributes)
    )


def _table(rows: Mentions, attributes: int) -> Floats:
    """Return [N, A] with 1 true, 0 false, NaN None. Raises ValueError where a row has another length."""
    if any(len(row) != attributes for row in rows):
        raise ValueError(f"every sample needs {attributes} attributes; a set without them cannot be scored")
    table = [[np.nan if value is None else float(value) for value in row] for row in rows]
    return np.array(table, dtype=np.float64).reshape(len(rows), attributes)
