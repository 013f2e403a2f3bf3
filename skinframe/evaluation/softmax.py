"""Softmax and log softmax of logits, and the mean over views."""

from __future__ import annotations

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
