"""A data set under audit: its samples, facts beside the metadata, images and questions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skinframe.components import Dataset
from skinframe.curating.image_scan import Scan
from skinframe.data.groups import components
from skinframe.sample import Sample


@dataclass(frozen=True, kw_only=True)
class AuditedDataset:
    """`scan` is None where images are not looked at; `features` [N, D] are a frozen encoder's, where one is given."""

    name: str
    dataset: Dataset
    samples: Sequence[Sample]
    facts: Sequence[Mapping[str, str]]
    question: Callable[[Sample], str]
    forbidden: Sequence[str]
    scan: Scan | None = None
    features: NDArray[np.float32] | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        return self.dataset.classes

    @property
    def keys(self) -> list[str | None]:
        """Return the digest of each image's pixels; None where it is not known."""
        return self.scan.keys if self.scan is not None else [None] * len(self.samples)

    def known(self) -> NDArray[np.int64]:
        """Return the component number of each sample, over patient, lesion and identical pixels."""
        numbers = np.zeros(len(self.samples), dtype=np.int64)
        for number, group in enumerate(components(self.samples, self.keys)):
            numbers[group] = number
        return numbers
