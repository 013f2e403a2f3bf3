"""The laws of a metric. Each takes a metric and drawn labels with probabilities, and asserts."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from skinframe.components import BinaryMetric, Facts, Metric
from skinframe.testing.law_and_check import Law, Suite


@dataclass(frozen=True, repr=False)
class Scored:
    """Labels [N] in which every class occurs, and probabilities [N, C] without ties.

    Each sample is a patient of its own; thresholds are chosen on other samples of the same kind.
    """

    labels: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    seed: int  # for a law that needs draws of its own
    chosen_on: tuple[NDArray[np.int64], NDArray[np.float64]] | None = None
    one_patient: bool = False

    @property
    def facts(self) -> Facts:
        classes = tuple(f"class {number}" for number in range(self.probabilities.shape[1]))
        groups = [f"patient {0 if self.one_patient else number}" for number in range(len(self.labels))]
        return Facts(classes=classes, groups=groups, chosen_on=self.chosen_on)

    def __repr__(self) -> str:
        return f"labels = {self.labels.tolist()}\nprobabilities = {self.probabilities.tolist()}"

    def random(self) -> np.random.Generator:
        return np.random.default_rng(self.seed)

    def certain(self, shift: int) -> Scored:
        """Return it with certainty in the class `shift` after the true one, also where thresholds are chosen."""
        C = self.probabilities.shape[1]
        chosen_on = None if self.chosen_on is None else (self.chosen_on[0], np.eye(C)[(self.chosen_on[0] + shift) % C])
        return replace(self, probabilities=np.eye(C)[(self.labels + shift) % C], chosen_on=chosen_on)

    def take(self, index: NDArray[np.int64]) -> Scored:
        return replace(self, labels=self.labels[index], probabilities=self.probabilities[index])


def scored(metric: Metric) -> st.SearchStrategy[Scored]:
    """Draw 2 to 4 classes, up to 20 samples beside two of each class, and probabilities from flat to sharp.

    A metric of the classes that are looked for sees two classes, of which it looks for the second.
    """
    classes = st.integers(2, 2 if isinstance(metric, BinaryMetric) else 4)
    return st.builds(_scored, classes, st.integers(0, 20), st.floats(0.1, 3), st.integers(0, 2**32 - 1))


def value(metric: Metric, data: Scored, weights: NDArray[np.float64] | None = None) -> float:
    """Call a metric; every sample weighs 1 where no weights are given."""
    weights = np.ones(len(data.labels)) if weights is None else weights
    return metric.given(data.facts).value(data.labels, data.probabilities, weights)


def number(metric: Metric, data: Scored) -> None:
    """The value is a float, finite where every class has samples, and within the metric's `span`."""
    result = value(metric, data)
    assert isinstance(result, float), f"value returned {type(result).__name__}, not a float"
    assert math.isfinite(result), f"{result}, though every class has samples"
    low, high = metric.span
    assert low - 1e-9 <= result <= high + 1e-9, f"{result} is outside of the metric's span, {low} to {high}"


def deterministic(metric: Metric, data: Scored) -> None:
    """Two calls give the same bits."""
    first, two = value(metric, data), value(metric, data)
    assert first == two or (math.isnan(first) and math.isnan(two)), f"first {first}, then {two}"


def pure(metric: Metric, data: Scored) -> None:
    """Labels, probabilities and weights are left as they were."""
    labels, probabilities, weights = data.labels.copy(), data.probabilities.copy(), np.ones(len(data.labels))
    metric.given(data.facts).value(labels, probabilities, weights)
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

    def turned(labels: NDArray[np.int64], probabilities: NDArray[np.float64]) -> tuple[Any, Any]:
        return order.argsort()[labels], probabilities[:, order]

    labels, probabilities = turned(data.labels, data.probabilities)
    chosen_on = None if data.chosen_on is None else turned(*data.chosen_on)
    moved = replace(data, labels=labels, probabilities=probabilities, chosen_on=chosen_on)
    _same(value(metric, data), value(metric, moved), f"with the classes in the order {order.tolist()}")


def weights(metric: Metric, data: Scored) -> None:
    """A weight is a multiplicity: a sample of weight 2 counts as two, one of weight 0 not at all."""
    times = data.random().integers(0, 3, len(data.labels))
    repeated = data.take(np.repeat(np.arange(len(times)), times))
    _same(value(metric, data, times.astype(np.float64)), value(metric, repeated), f"with rows repeated {times} times")


def undefined(metric: Metric, data: Scored) -> None:
    """Nothing to score is NaN, never 0 or 1."""
    none = data.take(np.arange(0))
    for what, result in (
        ("no sample", value(metric, none)),
        ("weights of 0", value(metric, data, np.zeros(len(data.labels)))),
    ):
        assert math.isnan(result), f"{what} gives {result}"


def direction(metric: Metric, data: Scored) -> None:
    """True probabilities score at least as well as any, and better than certainty in the wrong class."""
    # a retrieval score looks at the highest few of each patient, so there must be more than few
    data = replace(data.take(np.tile(np.arange(len(data.labels)), 8)), one_patient=True)
    sign = 1 if metric.higher_is_better else -1
    perfect, wrong = (sign * value(metric, data.certain(shift)) for shift in (0, 1))
    words = "higher" if metric.higher_is_better else "lower"
    beaten = sign * value(metric, data) > perfect + 1e-12
    assert metric.signed or not beaten, f"{words} is said to be better, and certainty is beaten"
    assert perfect > wrong, f"{words} is said to be better, and certainty in the wrong class scores as well as truth"


def floor(metric: Metric, data: Scored) -> None:
    """A metric with a floor is better when lower, and above its best value for labels drawn from the probabilities."""
    assert not metric.higher_is_better, "has_floor is for a metric that is better when lower"
    best, random = value(metric, data.certain(0)), data.random()
    drawn = [replace(data, labels=_labels(random, data.probabilities)) for _ in range(8)]
    mean = float(np.mean([value(metric, each) for each in drawn]))
    assert mean > best, f"its mean under the null is {mean}, not above its best value {best}: it has no floor"


def resampled(metric: Metric, data: Scored) -> None:
    """`over`, which a bootstrap calls with weights [R, N], gives the values that `value` gives one by one."""
    rows = data.random().integers(0, 3, (4, len(data.labels))).astype(np.float64)
    together = metric.given(data.facts).over(data.labels, data.probabilities)(rows)
    for row, replicate in zip(rows, together, strict=True):
        _same(float(replicate), value(metric, data, row), f"from `value`, with weights {row.tolist()}")


METRIC = Suite(
    "metric",
    (
        *map(Law, (number, deterministic, pure, sample_order)),
        Law(class_order, applies=lambda metric: not isinstance(metric, BinaryMetric)),
        *map(Law, (weights, undefined, direction)),
        Law(floor, applies=lambda metric: metric.has_floor and not metric.signed),
        Law(resampled, applies=lambda metric: type(metric).over is not Metric.over),
    ),
    lambda metric, law: scored(metric),
    examples=8,
)


def _scored(classes: int, more: int, sharpness: float, seed: int) -> Scored:
    random = np.random.default_rng(seed)

    def drawn(count: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        odds = np.exp(random.normal(size=(2 * classes + count, classes)) * sharpness)
        every = np.tile(np.arange(classes), 2)
        labels = np.concatenate([every, random.integers(0, classes, count)])
        return labels, odds / odds.sum(axis=1, keepdims=True)

    labels, probabilities = drawn(more)
    return Scored(labels, probabilities, int(random.integers(2**32)), drawn(20))


def _labels(random: np.random.Generator, probabilities: NDArray[np.float64]) -> NDArray[np.int64]:
    drawn: NDArray[np.int64] = (random.random((len(probabilities), 1)) > probabilities.cumsum(axis=1)[:, :-1]).sum(
        axis=1
    )
    return drawn


def _same(first: float, other: float, how: str) -> None:
    both = first == other or (math.isnan(first) and math.isnan(other))
    assert both or abs(first - other) <= 1e-9 * max(1.0, abs(first)), f"{first}, and {other} {how}"
