"""Qwen's vision tower at work: fixed square images in, tokens after the merger out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL.Image import Image, Resampling
from torch import Tensor

import skinframe
from skinframe_qwen._load import load_tower

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)


class QwenTower(skinframe.Tower):
    """The loaded, frozen tower."""

    def __init__(self, folder: Path, size: int, precision: str, device: str) -> None:
        self.tower = load_tower(folder, precision, device)
        self._size, self._device = size, device

    @torch.no_grad()
    def images(self, images: Sequence[Image]) -> dict[str, Tensor]:
        self.calls += 1
        config: Any = self.tower.config
        pixels = torch.stack([pixels_of(image, self._size) for image in images]).to(self._device)
        patches = patchify(pixels, config.patch_size, config.spatial_merge_size, config.temporal_patch_size)
        side = self._size // config.patch_size
        grid = torch.tensor([[1, side, side]] * len(images), device=self._device)
        merged = self.tower(patches.flatten(0, 1).to(self.tower.dtype), grid_thw=grid).pooler_output
        return {"image_tokens": merged.view(len(images), -1, merged.shape[-1]).float().cpu()}


def pixels_of(image: Image, size: int) -> Tensor:
    """Return an RGB image resized to [3, size, size] and standardised as the tower was trained."""
    resized = image.convert("RGB").resize((size, size), Resampling.BICUBIC)
    pixels = torch.from_numpy(np.asarray(resized, dtype=np.float32) / 255.0)
    return ((pixels - torch.tensor(MEAN)) / torch.tensor(STD)).permute(2, 0, 1)


def patchify(pixels: Tensor, patch: int, merge: int, frames: int) -> Tensor:
    """Cut images [B, 3, S, S] into the tower's patches [B, (S / patch)^2, 3 * frames * patch^2].

    The order is Qwen's: merge x merge neighbours follow each other; a still image is repeated `frames` times.
    """
    B, C, S, _ = pixels.shape
    side = S // (patch * merge)
    grid = pixels.view(B, C, side, merge, patch, side, merge, patch)
    grid = grid.permute(0, 2, 5, 3, 6, 1, 4, 7)  # B, row, column, merge row, merge column, C, patch row, patch column
    grid = grid.unsqueeze(6).expand(-1, -1, -1, -1, -1, -1, frames, -1, -1)
    return grid.reshape(B, (side * merge) ** 2, C * frames * patch * patch)
