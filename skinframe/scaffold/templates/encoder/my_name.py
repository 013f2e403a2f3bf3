import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL.Image import Image
from torch import Tensor

import skinframe


class MyTower(skinframe.Tower):
    """Each image as grid x grid patches of one colour."""

    def __init__(self, grid: int) -> None:
        self.grid = grid

    def images(self, images: Sequence[Image]) -> dict[str, Tensor]:
        self.calls += 1
        small = [np.asarray(image.convert("RGB").resize((self.grid, self.grid))) for image in images]
        tokens = torch.from_numpy(np.stack(small)).float().reshape(len(images), self.grid**2, 3) / 255
        return {"image_tokens": tokens, "image_embedding": tokens.mean(dim=1)}


class MyName(skinframe.Encoder):
    """Thumbnails, with no weights at all."""

    name = "my_name"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        grid: int = 8  # patches along a side

        def __post_init__(self) -> None:
            if not 1 <= self.grid <= 64:
                raise ValueError(f"grid must be in [1, 64], got {self.grid}")

    def provides(self) -> Mapping[str, tuple[int, ...]]:
        return {"image_tokens": (self.config.grid**2, 3), "image_embedding": (3,)}

    def digest(self) -> str:
        # raise the number whenever the features change: the cache knows them by this
        return hashlib.sha256(f"my_name 1, grid {self.config.grid}".encode()).hexdigest()

    def load(self, device: str) -> MyTower:
        return MyTower(self.config.grid)


@skinframe.hookimpl
def register_encoders() -> list[type[skinframe.Encoder]]:
    return [MyName]
