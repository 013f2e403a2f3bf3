"""What the comparisons share: how a library is asked for, random samples, and a metric beside its oracle."""

from __future__ import annotations

import importlib
import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from skinframe.components import Facts, Metric

CASES = 1000
DEFINITION = "definition"  # no library: the formula read literally, in the test
Expected = Callable[[Any, Any, Any], float | None]


def library(name: str) -> ModuleType:
    """Import a library, or skip the file with the reason."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        reason = f"{name} cannot be imported ({error}); run `uv run tox -e oracle`"
        pytest.skip(reason, allow_module_level=True)


@dataclass(frozen=True)
class Comparison:
    """What of ours, which function of which package, and how far both are apart in the case of a seed.

    `gap` returns None where the oracle says nothing of a case, as an area of one class. `within` is the most allowed.
    """

    ours: str
    oracle: str
    package: str
    gap: Callable[[int], float | None]
    within: float = 1e-9
    cases: int = CASES

    def gaps(self) -> Iterator[tuple[int, float]]:
        """Yield seed and gap of so many cases that the oracle has an answer to."""
        found, seed = 0, 0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they warn of empty classes, which are wanted here
            while found < self.cases:
                if seed > 50 * self.cases:
                    raise AssertionError(f"{self.ours}: {self.oracle} answered {found} of {seed} cases")
                gap = self.gap(seed)
                if gap is not None:
                    found += 1
                    yield seed, gap
                seed += 1


def apart(ours: Any, theirs: Any) -> float:
    """Return the largest difference; 0 where both are undefined, infinity where one is."""
    a, b = np.asarray(ours, dtype=np.float64), np.asarray(theirs, dtype=np.float64)
    if a.shape != b.shape or (np.isnan(a) != np.isnan(b)).any():
        return math.inf
    return float(np.nan_to_num(np.abs(a - b)).max(initial=0.0))


def case(seed: int, classes: int | None = None, most: int = 40) -> tuple[Any, Any, Any]:
    """Return labels [N], probabilities [N, C] and weights [N] in {0, 1, 2, 3}, N from 1 to `most`.

    By turns free, on a coarse grid with ties, saturated to exact 0 and 1, and rounded to float32. Classes are often
    empty, and all samples often of one.
    """
    random = np.random.default_rng((seed, 2026))
    n, classes = int(random.integers(1, most + 1)), classes or int(random.integers(2, 7))
    labels = random.integers(0, random.integers(1, classes + 1), n)
    logits = random.normal(size=(n, classes)) * random.choice([0.3, 2.0])
    if seed % 4 == 1:
        parts = random.integers(0, random.choice([2, 5, 12]), (n, classes)).astype(float)
        parts[parts.sum(axis=1) == 0] = 1
        p = parts / parts.sum(axis=1, keepdims=True)
    else:
        logits = logits * (random.choice([50.0, 2000.0]) if seed % 4 == 2 else 1.0)
        p = np.exp(logits - logits.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        p = p.astype(np.float32).astype(np.float64) if seed % 4 == 3 else p
    weights = random.integers(0, 4, n).astype(float) if seed // 4 % 2 else np.ones(n)
    weights[0] += 1
    return labels, p, weights


def copied(y: Any, p: Any, w: Any) -> tuple[Any, Any]:
    """Return the same sample with each row as often as its weight says, for a library that knows no weights."""
    rows = np.repeat(np.arange(len(y)), w.astype(int))
    return y[rows], p[rows]


def against(
    kind: type[Metric],
    oracle: str,
    package: str,
    expected: Expected,
    *,
    classes: int | None = None,
    facts: Facts | None = None,
    most: int = 40,
    within: float = 1e-9,
) -> Comparison:
    """Return the comparison of a registered metric with expected(labels, probabilities, weights)."""
    metric = kind() if facts is None else kind().given(facts)

    def gap(seed: int) -> float | None:
        y, p, w = case(seed, classes, most)
        wanted = expected(y, p, w)
        return None if wanted is None else apart(metric.value(y, p, w), wanted)

    return Comparison(kind.name, oracle, package, gap, within)
