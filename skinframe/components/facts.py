"""What a metric may know beside labels and probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

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
