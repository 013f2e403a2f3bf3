"""A model's own vision tower as a frozen encoder; a family's file makes an encoder of it in a few lines."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

import skinframe
from skinframe.components import Shape
from skinframe.errors import Problem
from skinframe.signals import Output
from skinframe_vlm.local_checkpoint import LocalCheckpoint
from skinframe_vlm.model_family import GRID, Family

if TYPE_CHECKING:
    from PIL.Image import Image

CODE_VERSION = 1  # increase it when preprocessing or the layer that is read changes: it is part of the cache key


class NativeVision(skinframe.Encoder):
    """The vision tower of one family, frozen; its image tokens [B, P, H] as its language model reads them."""

    family: ClassVar[Family]

    @property
    def checkpoint(self) -> LocalCheckpoint:
        return LocalCheckpoint(family=self.family, model=self.config.model, revision=self.config.revision)

    @property
    def keeps_aspect(self) -> bool:
        return getattr(self.config, "aspect", "square") == "keep"

    def signals(self) -> tuple[str, ...]:
        """Return the names of what it provides, the image tokens first; reads no file."""
        return (*self.family.signals, *([GRID] if self.keeps_aspect else []))

    def provides(self) -> Mapping[str, Shape]:
        """Return `{"image_tokens": (P, H)}` and the family's further outputs.

        With `aspect: keep`, P is the largest count and `image_grid` (2,) gives each image's rows and columns. Raises
        RecipeError where the tower cannot take `size`.
        """
        architecture = self.checkpoint.architecture()
        try:
            tokens = self.family.tokens(architecture, self.config.size)
        except ValueError as error:
            raise skinframe.RecipeError(self.name, [Problem("size", str(error))]) from None
        return {**self.family.outputs(architecture, tokens), **({GRID: (2,)} if self.keeps_aspect else {})}

    def outputs(self) -> Mapping[str, Output]:
        grid = {GRID: Output("B 2", "int")} if self.keeps_aspect else {}
        return {**super().outputs(), **grid}

    def digest(self) -> str:
        options = (self.config.size, self.config.precision, "merger", CODE_VERSION)
        parts = (self.checkpoint.digest(), *options, *(["keep"] if self.keeps_aspect else []))
        return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()

    def missing(self) -> list[skinframe.Requirement]:
        return self.checkpoint.missing()

    def modules(self) -> list[skinframe.ModuleRow]:
        from skinframe_vlm.meta_device_counts import tower_row

        architecture = self.checkpoint.architecture()
        tokens = self.family.tokens(architecture, self.config.size)
        return [tower_row(self.family, architecture, tokens=tokens, precision=self.config.precision)]

    def seen(self, image: Image) -> Image:
        from skinframe_vlm.native_vision_tower import seen_by

        return seen_by(self.family, image)

    def load(self, device: str) -> skinframe.Tower:
        from skinframe_vlm.native_vision_tower import NativeTower

        architecture, size, precision = self.checkpoint.architecture(), self.config.size, self.config.precision
        cell = self.family.patch(architecture) * self.family.merge(architecture)
        folder = self.checkpoint.require_folder()
        return NativeTower(self.family, folder, size, precision, device, cell=cell, keep=self.keeps_aspect)
