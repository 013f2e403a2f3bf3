"""Metrics: a number from labels and probabilities, over all classes or of positive classes against the rest."""

from __future__ import annotations

import copy
import math
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self

from skinframe.components.base import Component
from skinframe.errors import DataError, did_you_mean

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Facts:
    """Class names in order, each sample's group (patient), numbers that samples carry by column name, and the labels
    and probabilities of another split, on which thresholds are chosen. Empty where it is not known.
    """

    classes: tuple[str, ...] = ()
    groups: Sequence[str] = ()
    columns: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    chosen_on: tuple[NDArray[np.int64], NDArray[np.float64]] | None = None

    def places(self, positive: Sequence[str], classes: int) -> list[int]:
        """Return the columns of the positive classes, the second of two where none is named; else nothing.

        Raises DataError for a name that is no class.
        """
        if not positive:
            return [1] if classes == 2 else []
        for name in positive:
            if name not in self.classes:
                raise DataError(f"metric: no class '{name}' to look for{did_you_mean(name, self.classes)}")
        return [self.classes.index(name) for name in positive]


class Metric(Component):
    """A number from labels and probabilities; weights are the multiplicities of a bootstrap resample.

    Define `value`, or define `over` and sort or bin once for all resamples; the other follows. `facts` say what else
    is known: class names, groups, columns, the split on which a threshold may be chosen.
    """

    kind = "metric"
    higher_is_better: ClassVar[bool] = True
    has_floor: ClassVar[bool] = False  # report what a perfectly calibrated model of this sharpness would score
    signed: ClassVar[bool] = False  # with a floor: may be below 0, as a debiased error may
    span: ClassVar[tuple[float, float]] = (-math.inf, math.inf)  # the values that it can have; no interval leaves it
    by_default: ClassVar[bool] = True  # computed where a recipe names no metrics
    facts: Facts = Facts()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "name" in vars(cls) and cls.value is Metric.value and cls.over is Metric.over:
            raise TypeError(f"metric {cls.__name__} must define `value` or `over`")

    def given(self, facts: Facts) -> Self:
        """Return the metric as it is of these facts."""
        known = copy.copy(self)
        known.facts = facts
        return known

    def value(
        self, labels: NDArray[np.int64], probabilities: NDArray[np.float64], weights: NDArray[np.float64]
    ) -> float:
        """Return the metric; NaN where it is undefined, never 0 or 1."""
        return float(self.over(labels, probabilities)(weights[None, :])[0])

    def over(
        self, labels: NDArray[np.int64], probabilities: NDArray[np.float64]
    ) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
        """Return the function from weights [R, N] to values [R]."""
        import numpy as np

        return lambda weights: np.array([self.value(labels, probabilities, row) for row in weights], dtype=np.float64)

    def positives(self, labels: NDArray[np.int64]) -> int | None:
        """Return how many samples are of the class that is looked for; None where there is no such class."""
        return None

    def reason(self, labels: NDArray[np.int64], probabilities: NDArray[np.float64]) -> str:
        """Say why the metric is undefined on these samples; asked only where it is."""
        return "a class that it needs has no sample here"


@dataclass(frozen=True, kw_only=True)
class Positive:
    """The classes that are looked for; with none named, the second of two."""

    positive: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "positive", tuple(self.positive))
        if len(set(self.positive)) != len(self.positive):
            raise ValueError(f"positive must not repeat a class, got {', '.join(self.positive)}")


class BinaryMetric(Metric):
    """A metric of a yes-or-no question; the score is the sum of the positive classes' probabilities."""

    by_default = False
    Config: ClassVar[type[Any]] = Positive

    @abstractmethod
    def of(
        self, positive: NDArray[np.bool_], scores: NDArray[np.float64]
    ) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
        """Return the function from weights [R, N] to values [R], of truth [N] and scores [N]."""

    def over(
        self, labels: NDArray[np.int64], probabilities: NDArray[np.float64]
    ) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
        question = self.question(labels, probabilities)
        if question is None:
            from skinframe.weighted_statistics import undefined

            return undefined
        return self.of(*question)

    def question(
        self, labels: NDArray[np.int64], probabilities: NDArray[np.float64]
    ) -> tuple[NDArray[np.bool_], NDArray[np.float64]] | None:
        """Return truth and scores; None where more than two classes stand and none is named."""
        places = self.facts.places(self.config.positive, probabilities.shape[1])
        if not places:
            return None
        truth = (labels[:, None] == places).any(axis=1)
        # one column is taken as it is: a sum would round, and could break or make ties
        score = probabilities[:, places[0]] if len(places) == 1 else probabilities[:, places].sum(axis=1)
        return truth, score

    def positives(self, labels: NDArray[np.int64]) -> int | None:
        classes = len(self.facts.classes) or int(labels.max(initial=1)) + 1
        places = self.facts.places(self.config.positive, classes)
        return int((labels[:, None] == places).any(axis=1).sum()) if places else None

    def reason(self, labels: NDArray[np.int64], probabilities: NDArray[np.float64]) -> str:
        if self.question(labels, probabilities) is None:
            return "name the classes to look for in `positive`"
        return f"{self.positives(labels)} of {len(labels)} samples are positive: both kinds are needed"
