"""A model's own vision tower at work: images in, image tokens in the language model's embedding space out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL.Image import Image, Resampling
from torch import Tensor

import skinframe
from skinframe_vlm.load_weights import load_eyes
from skinframe_vlm.model_family import GRID, Family


class NativeTower(skinframe.Tower):
    """The loaded, frozen eyes of one checkpoint; `cell` is the side in pixels of one image token."""

    def __init__(
        self, family: Family, folder: Path, size: int, precision: str, device: str, *, cell: int, keep: bool
    ) -> None:
        self.model: Any = load_eyes(family, folder, precision, device)
        self._family, self._size, self._cell, self._keep, self._device = family, size, cell, keep, device

    @torch.no_grad()
    def images(self, images: Sequence[Image]) -> dict[str, Tensor]:
        self.calls += 1
        sizes = [self._pixel_size(image) for image in images]
        pixels = [pixels_of(self._family, image, *size) for image, size in zip(images, sizes, strict=True)]
        signals = self._family.see(self.model, [image.to(self._device) for image in pixels])
        if self._keep:
            room = (self._size // self._cell) ** 2
            signals = [{name: _pad(tensor, room) for name, tensor in each.items()} for each in signals]
            for each, (height, width) in zip(signals, sizes, strict=True):
                each[GRID] = torch.tensor([height // self._cell, width // self._cell])
        return {name: torch.stack([each[name] for each in signals]).float().cpu() for name in signals[0]}

    def _pixel_size(self, image: Image) -> tuple[int, int]:
        """Return height and width that the tower gets: the square, or the image's own aspect in as many tokens."""
        if not self._keep:
            return self._size, self._size
        side, aspect = self._size // self._cell, image.height / image.width
        rows = min(max(1, round(side * math.sqrt(aspect))), side * side)
        columns = max(1, min(round(side / math.sqrt(aspect)), side * side // rows))
        return rows * self._cell, columns * self._cell


def seen_by(family: Family, image: Image) -> Image:
    """Return the part of an image that the tower sees: all of it, or its central square."""
    if not family.crop:
        return image
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))


def pixels_of(family: Family, image: Image, height: int, width: int) -> Tensor:
    """Return an RGB image resized to [3, height, width] and standardised as the tower was trained."""
    scaled = (width, height)
    if family.crop:  # the shorter side becomes the input's, then the middle is cut out
        scale = width / min(image.size)
        scaled = (max(width, int(image.width * scale)), max(height, int(image.height * scale)))
    resized = image.convert("RGB").resize(scaled, Resampling.BICUBIC)
    left, top = (scaled[0] - width) // 2, (scaled[1] - height) // 2
    cropped = np.asarray(resized, dtype=np.float32)[top : top + height, left : left + width]
    pixels = torch.from_numpy(cropped / 255.0)
    return ((pixels - torch.tensor(family.mean)) / torch.tensor(family.std)).permute(2, 0, 1)


def _pad(tensor: Tensor, length: int) -> Tensor:
    return torch.cat([tensor, tensor.new_zeros(length - len(tensor), *tensor.shape[1:])])
