"""Random samples with ties, empty classes and whole-number weights: what metrics are compared on."""

import numpy as np
import pytest

COUNT = 150  # random cases per metric
COUNTS = [COUNT, pytest.param(1000, marks=pytest.mark.long)]


def case(seed, classes=None):
    """Return labels [N], probabilities [N, C] (often on a coarse grid) and weights [N] in {0, 1, 2, 3}."""
    random = np.random.default_rng(seed)
    n, classes = int(random.integers(2, 31)), classes or int(random.integers(2, 6))
    labels = random.integers(0, random.integers(1, classes + 1), n)
    parts = random.integers(0, random.choice([2, 5, 1000]), (n, classes)) + random.integers(0, 2, (n, 1))
    parts = np.where(parts.sum(axis=1, keepdims=True) == 0, 1, parts).astype(float)
    weights = random.integers(0, 4, n).astype(float) if seed % 2 else np.ones(n)
    weights[0] += 1
    return labels, parts / parts.sum(axis=1, keepdims=True), weights


def copied(labels, probabilities, weights):
    """Return the same sample with each row as often as its weight says."""
    rows = np.repeat(np.arange(len(labels)), weights.astype(int))
    return labels[rows], probabilities[rows]
