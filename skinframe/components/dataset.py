"""Data sets: samples with labels, groups and typed metadata, and the bytes of their images."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from skinframe.components.base import Component
from skinframe.sample import Field, Sample

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Dataset(Component):
    """Samples with labels, groups and typed metadata, and the bytes of their images."""

    kind = "dataset"
    level: ClassVar[str] = "patient"  # what a group is; "lesion" where no patient id was released
    # how the images were taken, 'dermoscopy' or 'clinical photograph': what texts call them; "" where unknown or mixed
    modality: str = ""
    synthetic: ClassVar[bool] = False  # drawn by a program: no image is of a person

    @property
    @abstractmethod
    def classes(self) -> tuple[str, ...]: ...

    @property
    def class_titles(self) -> Mapping[str, str]:
        """Return the full name of each class whose label is an abbreviation."""
        return {}

    @property
    def malignant(self) -> tuple[str, ...]:
        """Return the classes that a screening looks for: the report's headline says how well they are found."""
        return ()

    @property
    def attributes(self) -> tuple[str, ...]:
        return ()

    @property
    @abstractmethod
    def fields(self) -> tuple[Field, ...]: ...

    @abstractmethod
    def samples(self) -> Sequence[Sample]:
        """Return every sample, in a fixed order. Raises DataError naming file, line and reason."""

    @abstractmethod
    def image_bytes(self, sample: Sample) -> bytes:
        """Return the encoded image (PNG or JPEG) of a sample. Raises DataError."""

    def masks(self, sample: Sample) -> Mapping[str, NDArray[np.bool_]]:
        """Return pixel masks by name ('lesion', or an attribute's name), where the set has them."""
        return {}

    def left_out(self) -> Mapping[str, int]:
        """Return how many rows the chosen label set has no class for, by the set's own label."""
        return {}

    def label_map(self) -> Mapping[str, Mapping[str, str]]:
        """Return what each of the set's own labels is called in other vocabularies, by their names; needs no data."""
        return {}

    def published(self) -> str:
        """Say in one sentence whether the rows are those that were published; empty where nothing is known."""
        return ""

    def context(self, sample: Sample) -> Mapping[str, str]:
        """Return what is known of an image beside its metadata, for splitting and judging only: never prompt text.

        'institution' and 'modality' (several with commas between) place another set's images at a distance from the
        training set; 'source' and others are probed for what they tell of the label.
        """
        return {} if sample.source is None else {"source": sample.source}

    def posterior(self, sample: Sample) -> NDArray[np.float64] | None:
        """Return the true class probabilities [C] where the data's own law is known (synthetic sets)."""
        return None

    @abstractmethod
    def digest(self) -> str:
        """Return a hex digest of what the set is (tables and options), cheap to compute."""
