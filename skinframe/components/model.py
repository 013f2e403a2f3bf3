"""What sees and reasons: frozen encoders, the reasoner, heads."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from skinframe.components.base import Component, ModuleRow, Requirement, Shape

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor, nn


class Tower(ABC):
    """A loaded frozen encoder. Counts its calls, so that a test can prove that a cached epoch makes none."""

    calls: int = 0

    @abstractmethod
    def images(self, images: Sequence[Image]) -> dict[str, Tensor]:
        """Encode RGB images to the signals that `Encoder.provides` names, each [B, ...] float32 on the CPU."""

    def texts(self, texts: Sequence[str]) -> Tensor:
        """Encode texts to unit vectors [B, D], float32 on the CPU."""
        raise NotImplementedError(f"{type(self).__name__} has no text tower")


class Encoder(Component):
    """A frozen perception tower; its outputs are cached by content, never by path or time."""

    kind = "encoder"

    @abstractmethod
    def provides(self) -> Mapping[str, Shape]:
        """Return each signal's shape without the batch dim, e.g. `{"image_tokens": (64, 128)}`."""

    @abstractmethod
    def digest(self) -> str:
        """Return a hex digest of weights, preprocessing, layer and dtype: the encoder's part of the cache key."""

    @abstractmethod
    def load(self, device: str) -> Tower: ...

    def seen(self, image: Image) -> Image:
        """Return the part of an image that the tower sees, before normalisation: heat maps and masks lie over it."""
        return image

    def modules(self) -> list[ModuleRow]:
        return []

    def missing(self) -> list[Requirement]:
        return []


@dataclass(frozen=True, kw_only=True)
class BuildContext:
    """What a reasoner or head is built from: the classes, the shapes of the signals it reads, where and how."""

    classes: tuple[str, ...]
    shapes: Mapping[str, Shape]
    seed: int
    class_words: tuple[str, ...] = ()  # what the prompt calls the classes
    attributes: tuple[str, ...] = ()  # the checklist that the data states of each lesion
    device: str = "cpu"
    precision: Literal["fp32", "bf16"] = "fp32"
    reasoner: nn.Module | None = None  # for a head that borrows from it, such as the verbalizer


class Reasoner(Component):
    """A language model that reads image tokens and a prompt, and gives a state and a rationale."""

    kind = "reasoner"

    def brings(self) -> Mapping[str, Encoder]:
        """Return encoders that come with the reasoner itself (Qwen's own tower), by instance name."""
        return {}

    @abstractmethod
    def needs(self) -> tuple[str, ...]:
        """Return the full names of the signals it reads, e.g. `("clip.image_tokens",)`."""

    @abstractmethod
    def provides(self) -> Mapping[str, Shape]: ...

    @abstractmethod
    def build(self, context: BuildContext) -> nn.Module:
        """Return a module with the methods of `skinframe.protocols.ReasonerModule`."""

    @abstractmethod
    def digest(self) -> str:
        """Return a hex digest of the base weights and the tokenizer."""

    def modules(self, shapes: Mapping[str, Shape]) -> list[ModuleRow]:
        return []

    def missing(self) -> list[Requirement]:
        return []


class Head(Component):
    """A small trained module from model signals to model signals."""

    kind = "head"

    @abstractmethod
    def needs(self) -> tuple[str, ...]: ...

    @abstractmethod
    def provides(self) -> tuple[str, ...]: ...

    @abstractmethod
    def build(self, context: BuildContext) -> nn.Module:
        """Return a module whose `forward` takes the needed signals by name and returns a dict of those provided."""
