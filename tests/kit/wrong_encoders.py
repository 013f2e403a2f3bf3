"""One deliberately wrong encoder for each check of the contract kit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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


class TextTower(skinframe.Tower):
    """A histogram of the characters, and nothing for images."""

    def images(self, images: Sequence[Image]) -> dict[str, Tensor]:
        raise NotImplementedError

    def texts(self, texts: Sequence[str]) -> Tensor:
        counts = [torch.tensor([ord(letter) % 32 for letter in text]).bincount(minlength=32) for text in texts]
        return torch.nn.functional.normalize(torch.stack(counts).float(), dim=1)


class RightText(RightEncoder):
    """Text alone."""

    tower = TextTower

    def provides(self) -> Mapping[str, tuple[int, ...]]:
        return {"text_embedding": (32,)}


class LongVectors(TextTower):
    def texts(self, texts: Sequence[str]) -> Tensor:
        return 2 * super().texts(texts)


class WrongText(RightText):
    tower = LongVectors


class ByBrightness(MeanTower):
    def __init__(self, gain: float) -> None:
        self.gain = gain

    def images(self, images: Sequence[Image]) -> dict[str, Tensor]:
        return {name: value * self.gain for name, value in super().images(images).items()}


class OptionOutsideDigest(RightEncoder):
    """An option changes the features and not the digest, so the cache hands out the other encoder's."""

    @dataclass(frozen=True, kw_only=True)
    class Config:
        gain: float = 1.0

    def load(self, device: str) -> skinframe.Tower:
        return ByBrightness(self.config.gain)


class WrongShape(RightEncoder):
    def provides(self) -> Mapping[str, tuple[int, ...]]:
        return {"image_embedding": (4,)}


class OwnDice(MeanTower):
    """Turns the features by something that was drawn when it was loaded."""

    def __init__(self) -> None:
        self.shift = torch.rand(3)

    def images(self, images: Sequence[Image]) -> dict[str, Tensor]:
        return {name: value + self.shift for name, value in super().images(images).items()}


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


def _with(tower: type[skinframe.Tower]) -> skinframe.Encoder:
    return type(f"With{tower.__name__}", (RightEncoder,), {"tower": tower})()


RIGHT: list[skinframe.Encoder] = [RightEncoder(), RightText()]
WRONG: dict[str, skinframe.Encoder] = {
    "declared": WrongShape(),
    "repeatable": _with(OwnDice),
    "alone": _with(Centred),
    "attentive": _with(Blind),
    "pure": _with(Painter),
    "counted": _with(Uncounted),
    "texts": WrongText(),
    "digested": OptionOutsideDigest(),
}
ALSO = {"repeatable": {"digested"}}  # no digest names features that change from load to load
