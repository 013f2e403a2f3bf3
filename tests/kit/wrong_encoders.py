"""One deliberately wrong encoder for each check of the contract kit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from PIL.Image import Image
from torch import Tensor

import skinframe


class MeanTower(skinframe.Tower):
    """Mean colour of each image."""

    def images(self, images: Sequence[Image]) -> dict[str, Tensor]:
        self.calls += 1
        means = [np.asarray(image, dtype=np.float32).mean(axis=(0, 1)) / 255 for image in images]
        return {"image_embedding": torch.from_numpy(np.stack(means))}


class RightEncoder(skinframe.Encoder):
    """Passes every check."""

    name = "right"
    tower: type[skinframe.Tower] = MeanTower

    def provides(self) -> Mapping[str, tuple[int, ...]]:
        return {"image_embedding": (3,)}

    def digest(self) -> str:
        return "0123456789abcdef" * 2

    def load(self, device: str) -> skinframe.Tower:
        return self.tower()


class WrongShape(RightEncoder):
    def provides(self) -> Mapping[str, tuple[int, ...]]:
        return {"image_embedding": (4,)}


class Dropout(MeanTower):
    def images(self, images: Sequence[Image]) -> dict[str, Tensor]:
        return {name: value * (torch.rand(value.shape) > 0.5) for name, value in super().images(images).items()}


class Centred(MeanTower):
    def images(self, images: Sequence[Image]) -> dict[str, Tensor]:
        return {name: value - value.mean(dim=0) for name, value in super().images(images).items()}


class Blind(MeanTower):
    def images(self, images: Sequence[Image]) -> dict[str, Tensor]:
        return {name: torch.ones_like(value) for name, value in super().images(images).items()}


class Painter(MeanTower):
    def images(self, images: Sequence[Image]) -> dict[str, Tensor]:
        for image in images:
            image.putpixel((0, 0), (0, 0, 0))
            image.putpixel((1, 0), (255, 255, 255))
        return super().images(images)


class Uncounted(MeanTower):
    def images(self, images: Sequence[Image]) -> dict[str, Tensor]:
        found = super().images(images)
        self.calls = 0
        return found


class AdHocDigest(RightEncoder):
    def digest(self) -> str:
        return f"{id(self):032x}"


def _with(tower: type[skinframe.Tower]) -> skinframe.Encoder:
    return type(f"With{tower.__name__}", (RightEncoder,), {"tower": tower})()


WRONG: dict[str, skinframe.Encoder] = {
    "declared": WrongShape(),
    "repeatable": _with(Dropout),
    "alone": _with(Centred),
    "attentive": _with(Blind),
    "pure": _with(Painter),
    "counted": _with(Uncounted),
    "digested": AdHocDigest(),
}
