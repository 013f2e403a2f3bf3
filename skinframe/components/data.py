"""Where samples come from, and the texts made of them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from skinframe.components.base import Component, Requirement
from skinframe.sample import Field, Sample

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Dataset(Component):
    """Samples with labels, groups and typed metadata, and the bytes of their images."""

    kind = "dataset"
    level: ClassVar[str] = "patient"  # what a group is; "lesion" where no patient id was released

    @property
    @abstractmethod
    def classes(self) -> tuple[str, ...]: ...

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

    def missing(self) -> list[Requirement]:
        return []

    @abstractmethod
    def digest(self) -> str:
        """Return a hex digest of what the set is (tables and options), cheap to compute."""


@dataclass(frozen=True, kw_only=True)
class PromptText:
    """What the reasoner reads beside the image. The label is never in it."""

    system: str
    user: str


class Prompt(Component):
    """Versioned templates: sample -> question, description, rationale."""

    kind = "prompt"

    @abstractmethod
    def question(self, sample: Sample, fields: Sequence[Field]) -> PromptText:
        """Return the reasoner's input. Only typed metadata may enter; never the label, never free text."""

    @abstractmethod
    def description(self, sample: Sample, classes: Sequence[str], attributes: Sequence[str]) -> str:
        """Return the clinical description for image-text alignment (training-time supervision only)."""

    @abstractmethod
    def class_descriptions(self, classes: Sequence[str]) -> list[str]:
        """Return one zero-shot description a class, in order."""

    def class_words(self, classes: Sequence[str]) -> list[str]:
        """Return what each class is called in text, in order: a verbalizer reads the first token of each."""
        return list(classes)

    @abstractmethod
    def rationale(self, sample: Sample, classes: Sequence[str], attributes: Sequence[str]) -> str:
        """Return the target rationale that names the attributes."""

    def telling_words(self) -> tuple[str, ...]:
        """Return words that would tell the answer; an audit looks for them in the questions."""
        return ()

    @abstractmethod
    def mentions(self, text: str, attributes: Sequence[str]) -> tuple[bool | None, ...]:
        """Read a written rationale back: present, absent, or not mentioned, for each attribute."""

    @abstractmethod
    def digest(self) -> str: ...
