"""Calibrators: maps from logits to probabilities."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from skinframe.components.base import Component

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Calibrator(Component):
    """A map from logits to probabilities, fitted on validation predictions only."""

    kind = "calibrator"

    @abstractmethod
    def fit(self, logits: NDArray[np.float64], labels: NDArray[np.int64]) -> dict[str, Any]:
        """Return the fitted parameters as plain JSON values."""

    @abstractmethod
    def apply(self, logits: NDArray[np.float64], parameters: Mapping[str, Any]) -> NDArray[np.float64]:
        """Return calibrated probabilities [N, C]."""
