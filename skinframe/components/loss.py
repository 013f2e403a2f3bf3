"""Loss terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from skinframe.components.base import Component

if TYPE_CHECKING:
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

    def commit(self, *_: Any, **signals: Any) -> None:
        """Take the rows of a finished step into `state`; called once, after the optimiser's step. Most terms keep none.

        `signals` are those of `forward`, detached, over all samples of the step. `forward` itself never changes state.
        """

    def state(self) -> dict[str, Tensor]:
        """Return what must survive a resume (a calibration queue); empty for a stateless term."""
        return {}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state` returned."""
