"""Prompts: the texts made from a sample, for the reasoner, for alignment and as the target rationale."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from skinframe.components.base import Component
from skinframe.sample import Field, Sample


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

    def for_modality(self, modality: str) -> Prompt:
        """Return the prompt for images taken this way (`Dataset.modality`); an option of the prompt's own wins."""
        return self

    @abstractmethod
    def description(self, sample: Sample, classes: Sequence[str], attributes: Sequence[str]) -> str:
        """Return the clinical description for image-text alignment (training-time supervision only)."""

    @abstractmethod
    def class_descriptions(self, classes: Sequence[str]) -> list[str]:
        """Return one zero-shot description a class, in order."""

    def class_words(self, classes: Sequence[str]) -> list[str]:
        """Return what each class is called in text, in order: a verbalizer reads the first token of each."""
        return list(classes)

    def diagnosis_words(self, classes: Sequence[str]) -> Mapping[str, str]:
        """Return the diagnoses that a written rationale may name, by how they are written, in lower case.

        A class of the run is returned by its label; other diagnoses may be among them, so that a rationale that names
        one is not taken for one that names nothing.
        """
        words = zip(self.class_words(classes), classes, strict=True)
        return {written.lower(): name for written, name in (*words, *zip(classes, classes, strict=True))}

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
