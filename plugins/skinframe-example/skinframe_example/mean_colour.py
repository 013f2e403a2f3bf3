"""An encoder with no weights: the mean and the spread of the colours in each cell of a grid."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

import skinframe

CELL = 8  # pixels along a cell's side


class ColourTower(skinframe.Tower):
    """Resizes each image to whole cells and describes each cell by six numbers."""

    def __init__(self, grid: int, device: str) -> None:
        self.grid, self.device = grid, device

    def images(self, images: Sequence[Image.Image]) -> dict[str, Tensor]:
        self.calls += 1
        side = self.grid * CELL
        small = [image.convert("RGB").resize((side, side), Image.Resampling.BOX) for image in images]
        pixels = torch.from_numpy(np.stack([np.asarray(image) for image in small])).to(self.device).float() / 255
        cells = pixels.reshape(-1, self.grid, CELL, self.grid, CELL, 3).permute(0, 1, 3, 2, 4, 5)
        cells = cells.reshape(len(images), self.grid**2, CELL**2, 3)
        tokens = torch.cat([cells.mean(dim=2), cells.std(dim=2)], dim=-1).cpu()
        return {"image_tokens": tokens, "image_embedding": tokens.mean(dim=1)}


class MeanColour(skinframe.Encoder):
    """Mean and standard deviation of the colours in a grid of cells."""

    name = "mean_colour"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        grid: int = 8  # cells along a side

        def __post_init__(self) -> None:
            if not 1 <= self.grid <= 64:
                raise ValueError(f"grid must be in [1, 64], got {self.grid}")

    def provides(self) -> Mapping[str, tuple[int, ...]]:
        return {"image_tokens": (self.config.grid**2, 6), "image_embedding": (6,)}

    def digest(self) -> str:
        # no weights to hash: raise the number whenever the features change
        return hashlib.sha256(f"mean_colour 1, {CELL} pixels, grid {self.config.grid}".encode()).hexdigest()

    def load(self, device: str) -> ColourTower:
        return ColourTower(self.config.grid, device)


@skinframe.hookimpl
def register_encoders() -> list[type[skinframe.Encoder]]:
    return [MeanColour]
