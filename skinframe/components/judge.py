"""What trains and judges: loss terms, metrics, calibrators, explainers."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from skinframe.components.base import Component
from skinframe.components.facts import Facts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

Coupling = Literal["per_sample", "pairwise_additive", "batch"]


class Loss(Component):
    """One term. Its needs are the parameter names of `forward`, which returns a scalar.

    `normalise_by` names the signal whose first dim counts the loss terms, so that a step of several micro-batches
    gives the same value as one large batch.
    """

    kind = "loss"
    coupling: ClassVar[Coupling]
    normalise_by: ClassVar[str] = "labels"
    forward: Callable[..., Tensor]

    def derived(self, class_counts: Sequence[int]) -> dict[str, list[float]]:
        """Return the numbers that follow from the training counts, one a class by name (class weights, margins).

        A run shows them before it trains, and in its report. Raises ValueError where a count has none (a class of 0).
        """
        return {}

    def notes(self) -> dict[str, float]:
        """Return further numbers about the last value, by name, for its part of the log line; most terms have none."""
        return {}

    def state(self) -> dict[str, Tensor]:
        """Return what must survive a resume (a calibration queue); empty for a stateless term."""
        return {}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Take back what `state` returned."""


class Metric(Component):
    """A number from labels and probabilities; weights are the multiplicities of a bootstrap resample.

    Define `value`, or define `over` and sort or bin once for all resamples; the other follows. `facts` say what else
    is known: class names, groups, columns, the split on which a threshold may be chosen.
    """

    kind = "metric"
    higher_is_better: ClassVar[bool] = True
    has_floor: ClassVar[bool] = False  # report what a perfectly calibrated model of this sharpness would score
    signed: ClassVar[bool] = False  # with a floor: may be below 0, as a debiased error may
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


class Calibrator(Component):
    """A map from logits to probabilities, fitted on validation predictions only."""

    kind = "calibrator"

    @abstractmethod
    def fit(self, logits: NDArray[np.float64], labels: NDArray[np.int64]) -> dict[str, Any]:
        """Return the fitted parameters as plain JSON values."""

    @abstractmethod
    def apply(self, logits: NDArray[np.float64], parameters: Mapping[str, Any]) -> NDArray[np.float64]:
        """Return calibrated probabilities [N, C]."""


class Explainer(Component):
    """A heat map over image tokens for one prediction."""

    kind = "explainer"

    @abstractmethod
    def explain(self, forward: Callable[[Tensor], Tensor], image_tokens: Tensor, classes: Tensor) -> Tensor:
        """Return heat [B, P] >= 0 for the given classes; `forward` maps image tokens [B, P, V] to logits [B, C]."""
