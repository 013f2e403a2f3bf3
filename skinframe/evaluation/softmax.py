"""Softmax and log softmax of logits, and the mean over views."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from skinframe.weighted_statistics import Floats


def log_softmax(logits: Floats) -> Floats:
    """Return the log probabilities [N, C], from logits shifted by their maximum."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)), dtype=np.float64)


def mean_of_views(scores: Sequence[Floats]) -> Floats:
    """Return the mean over views of the log probabilities [N, C]; the scores themselves where there is one view."""
    if len(scores) == 1:
        return scores[0]
    return np.asarray(np.mean([log_softmax(each) for each in scores], axis=0), dtype=np.float64)


def softmax(logits: Floats) -> Floats:
    """Return probabilities [N, C] that sum to 1 in each row."""
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True), dtype=np.float64)


def softmax_in_order(logits: Floats) -> Floats:
    """Return the softmax of logits [N, C]; rows whose log odds of a class differ keep different probabilities of it.

    From log odds of about 37 on, a double rounds to 1 and ranks would be lost; there neighbours are kept one unit in
    the last place apart, which no proper score can see.
    """
    probabilities = softmax(logits)
    for c in range(logits.shape[1]):
        others = np.delete(logits, c, axis=1)
        highest = others.max(axis=1, keepdims=True)
        odds = logits[:, c] - highest[:, 0] - np.log(np.exp(others - highest).sum(axis=1))
        probabilities[:, c] = _apart_at_the_ends(odds, probabilities[:, c])
    return probabilities


def _apart_at_the_ends(odds: Floats, p: Floats) -> Floats:
    """Keep values near 1 from the top down, and those near 0 from the bottom up, in the strict order of their odds."""
    kept = p.copy()
    for rows, end in ((np.flatnonzero(p > 1 - 1e-12), 0.0), (np.flatnonzero(p < 1e-300), 1.0)):
        inwards = rows[np.argsort(-odds[rows] if end == 0.0 else odds[rows], kind="stable")]
        for before, row in itertools.pairwise(inwards):
            if odds[row] == odds[before]:
                kept[row] = kept[before]
            elif (kept[row] >= kept[before]) if end == 0.0 else (kept[row] <= kept[before]):
                kept[row] = np.nextafter(kept[before], end)
    return kept
