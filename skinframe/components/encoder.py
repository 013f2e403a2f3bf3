"""Image and text encoders: frozen and cached, frozen and live, or trained; and the towers that frozen ones load."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from skinframe.components.base import BuildContext, Component, ModuleRow, Shape
from skinframe.signals import Output, standard_output

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
    """From images (and texts) to named signals, in one of three modes.

    cached: frozen; outputs are computed once by `load` and cached by content, never by path or time.
    live: frozen, but computed by `load` at every step and never cached.
    trained: a part of the model; `build` gives its module, which reads augmented pixels at every step.
    """

    kind = "encoder"
    mode: Literal["cached", "live", "trained"] = "cached"

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
    def load(self, device: str) -> Tower:
        """Load the frozen encoder."""

    def seen(self, image: Image) -> Image:
        """Return the part of an image that the tower sees, before normalisation: heat maps and masks lie over it."""
        return image

    def augment(self, image: Image, seed: int) -> Image:
        """Return an RGB image as a training step shows it (mode `trained`); the same seed gives the same pixels."""
        return image

    def pixels(self, image: Image) -> Tensor:
        """Return an RGB image as the module of `build` reads it: [3, H, W], cropped as `seen`, normalised, float32."""
        raise NotImplementedError(f"{type(self).__name__} cannot be trained")

    def build(self, context: BuildContext) -> nn.Module:
        """Return the module of a trained encoder: pixels [B, 3, H, W] -> image signals by name, each [B, ...].

        Its initial weights are drawn under `context.seed`. `frozen_parts` names submodules that do not train.
        """
        raise NotImplementedError(f"{type(self).__name__} cannot be trained")

    def frozen_parts(self) -> tuple[str, ...]:
        """Return the submodules of `build`'s module that keep their weights and batch statistics."""
        return ()

    def modules(self) -> list[ModuleRow]:
        return []
