"""Frozen image and text encoders, and the towers that they load."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from skinframe.components.base import Component, ModuleRow, Shape
from skinframe.signals import Output, standard_output

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor


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
    mode: Literal["cached", "live", "trained"] = "cached"  # where its image signals come from at each step

    @abstractmethod
    def provides(self) -> Mapping[str, Shape]:
        """Return each signal's shape without the batch dim, e.g. `{"image_tokens": (64, 128)}`."""

    def outputs(self) -> Mapping[str, Output]:
        """Return the layout of each provided signal; override it for a signal that is not a standard one."""
        return {name: standard_output(name) for name in self.provides()}

    def text_signals(self) -> tuple[str, ...]:
        """Return which of its signals encode the description, which names the diagnosis, and not the image."""
        return tuple(name for name in self.provides() if name == "text_embedding")

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
