"""Random changes of a training image (crop and colour) that depend on nothing but a seed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import ImageEnhance
from PIL.Image import Image

ASPECT = (3 / 4, 4 / 3)  # width over height of a crop
ATTEMPTS = 10  # crops that are tried before the whole image is taken


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """How strongly an image may change. The default changes nothing.

    `crop` is the smallest share of the area that a random crop keeps (1: no crop); `colour` the largest relative change
    of brightness, contrast and saturation (0: none). Flips and quarter turns are the recipe's `views`.
    """

    crop: float = 1.0
    colour: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.crop <= 1:
            raise ValueError(f"crop must be in (0, 1], got {self.crop}")
        if not 0 <= self.colour < 1:
            raise ValueError(f"colour must be in [0, 1), got {self.colour}")

    def apply(self, image: Image, seed: int) -> Image:
        """Return the changed image; the same seed gives the same pixels."""
        random = np.random.default_rng(seed)
        if self.crop < 1:
            image = image.crop(_crop_box(image.size, self.crop, random))
        if self.colour:
            for enhancer in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
                image = enhancer(image).enhance(float(random.uniform(1 - self.colour, 1 + self.colour)))
        return image


def _crop_box(size: tuple[int, int], least: float, random: np.random.Generator) -> tuple[int, int, int, int]:
    """Return (left, top, right, bottom) of a crop of random area, shape and place (Szegedy et al. 2015)."""
    width, height = size
    for _ in range(ATTEMPTS):
        area = width * height * random.uniform(least, 1.0)
        aspect = math.exp(random.uniform(math.log(ASPECT[0]), math.log(ASPECT[1])))
        across, down = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if 0 < across <= width and 0 < down <= height:
            left, top = int(random.integers(width - across + 1)), int(random.integers(height - down + 1))
            return left, top, left + across, top + down
    return 0, 0, width, height
