"""The laws of a metric. Each takes a metric and drawn labels with probabilities, and asserts."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from skinframe.components import Metric
from skinframe.testing.law import Law, Suite


@dataclass(frozen=True, repr=False)
class Scored:
    """Labels [N] in which every class occurs, and probabilities [N, C] without ties."""

    labels: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    seed: int  # for a law that needs draws of its own

    def __repr__(self) -> str:
        return f"labels = {self.labels.tolist()}\nprobabilities = {self.probabilities.tolist()}"

    def random(self) -> np.random.Generator:
        return np.random.default_rng(self.seed)

    def take(self, index: NDArray[np.int64]) -> Scored:
        return replace(self, labels=self.labels[index], probabilities=self.probabilities[index])


def scored() -> st.SearchStrategy[Scored]:
    """Draw 2 to 4 classes, up to 20 samples beside one of each class, and probabilities from flat to sharp."""
    return st.builds(_scored, st.integers(2, 4), st.integers(0, 20), st.floats(0.1, 3), st.integers(0, 2**32 - 1))


def value(metric: Metric, data: Scored, weights: NDArray[np.float64] | None = None) -> float:
    """Call a metric; every sample weighs 1 where no weights are given."""
    return metric.value(data.labels, data.probabilities, np.ones(len(data.labels)) if weights is None else weights)


def number(metric: Metric, data: Scored) -> None:
    """The value is a float, and finite where every class has samples."""
    found = value(metric, data)
    assert isinstance(found, float), f"value returned {type(found).__name__}, not a float"
    assert math.isfinite(found), f"{found}, though every class has samples"


def deterministic(metric: Metric, data: Scored) -> None:
    """Two calls give the same bits."""
    one, two = value(metric, data), value(metric, data)
    assert one == two, f"first {one}, then {two}"


def pure(metric: Metric, data: Scored) -> None:
    """Labels, probabilities and weights are left as they were."""
    labels, probabilities, weights = data.labels.copy(), data.probabilities.copy(), np.ones(len(data.labels))
    metric.value(labels, probabilities, weights)
    assert np.array_equal(labels, data.labels), "value changed the labels"
    assert np.array_equal(probabilities, data.probabilities), "value changed the probabilities"
    assert (weights == 1).all(), "value changed the weights"


def sample_order(metric: Metric, data: Scored) -> None:
    """Permuting the samples changes nothing."""
    order = data.random().permutation(len(data.labels))
    _same(value(metric, data), value(metric, data.take(order)), f"in the order {order.tolist()}")


def class_order(metric: Metric, data: Scored) -> None:
    """Permuting the classes, in labels and columns alike, changes nothing."""
    order = data.random().permutation(data.probabilities.shape[1])
    moved = replace(data, labels=order.argsort()[data.labels], probabilities=data.probabilities[:, order])
    _same(value(metric, data), value(metric, moved), f"with the classes in the order {order.tolist()}")


def weights(metric: Metric, data: Scored) -> None:
    """A weight is a multiplicity: a sample of weight 2 counts as two, one of weight 0 not at all."""
    times = data.random().integers(0, 3, len(data.labels))
    repeated = data.take(np.repeat(np.arange(len(times)), times))
    _same(value(metric, data, times.astype(np.float64)), value(metric, repeated), f"with rows repeated {times} times")


def undefined(metric: Metric, data: Scored) -> None:
    """Nothing to score is NaN, never 0 or 1."""
    none = data.take(np.arange(0))
    for what, found in (
        ("no sample", value(metric, none)),
        ("weights of 0", value(metric, data, np.zeros(len(data.labels)))),
    ):
        assert math.isnan(found), f"{what} gives {found}"


def direction(metric: Metric, data: Scored) -> None:
    """True probabilities score at least as well as any, and better than certainty in the wrong class."""
    C = data.probabilities.shape[1]
    sign = 1 if metric.higher_is_better else -1
    perfect = sign * value(metric, replace(data, probabilities=np.eye(C)[data.labels]))
    wrong = sign * value(metric, replace(data, probabilities=np.eye(C)[(data.labels + 1) % C]))
    words = "higher" if metric.higher_is_better else "lower"
    assert perfect >= sign * value(metric, data) - 1e-12, f"{words} is said to be better, and certainty is beaten"
    assert perfect > wrong, f"{words} is said to be better, and certainty in the wrong class scores as well as truth"


def floor(metric: Metric, data: Scored) -> None:
    """A metric with a floor is better when lower, and above its best value for labels drawn from the probabilities."""
    assert not metric.higher_is_better, "has_floor is for a metric that is better when lower"
    C, random = data.probabilities.shape[1], data.random()
    best = value(metric, replace(data, probabilities=np.eye(C)[data.labels]))
    drawn = [replace(data, labels=_labels(random, data.probabilities)) for _ in range(8)]
    mean = float(np.mean([value(metric, each) for each in drawn]))
    assert mean > best, f"its mean under the null is {mean}, not above its best value {best}: it has no floor"


def resampled(metric: Metric, data: Scored) -> None:
    """`over`, which a bootstrap calls with weights [R, N], gives the values that `value` gives one by one."""
    rows = data.random().integers(0, 3, (4, len(data.labels))).astype(np.float64)
    together = metric.over(data.labels, data.probabilities)(rows)  # type: ignore[attr-defined]  # see its `applies`
    for row, found in zip(rows, together, strict=True):
        _same(float(found), value(metric, data, row), f"from `value`, with weights {row.tolist()}")


METRIC = Suite(
    "metric",
    (
        *map(Law, (number, deterministic, pure, sample_order, class_order, weights, undefined, direction)),
        Law(floor, applies=lambda metric: metric.has_floor),
        Law(resampled, applies=lambda metric: hasattr(metric, "over")),
    ),
    lambda metric, law: scored(),
    examples=15,
)


def _scored(classes: int, more: int, sharpness: float, seed: int) -> Scored:
    random = np.random.default_rng(seed)
    logits = random.normal(size=(classes + more, classes)) * sharpness
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    labels = np.concatenate([np.arange(classes), random.integers(0, classes, more)])
    return Scored(labels, odds / odds.sum(axis=1, keepdims=True), int(random.integers(2**32)))


def _labels(random: np.random.Generator, probabilities: NDArray[np.float64]) -> NDArray[np.int64]:
    drawn: NDArray[np.int64] = (random.random((len(probabilities), 1)) > probabilities.cumsum(axis=1)[:, :-1]).sum(
        axis=1
    )
    return drawn


def _same(one: float, other: float, how: str) -> None:
    both = one == other or (math.isnan(one) and math.isnan(other))
    assert both or abs(one - other) <= 1e-9 * max(1.0, abs(one)), f"{one}, and {other} {how}"
