"""The abstract base of metrics that look for one class, or for several taken as one, against the rest."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from skinframe.components.judge import Metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


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
            from skinframe.weighted import undefined

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
