"""From an RGB image to a normalised square (open_clip's `preprocess_cfg`), and from a feature map to tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from PIL.Image import Resampling

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL.Image import Image
    from torch import Tensor

Fit = Literal["shortest", "longest", "squash"]
Interpolation = Literal["bicubic", "bilinear"]
FITS = ("shortest", "longest", "squash")
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)


@dataclass(frozen=True, kw_only=True)
class Preprocess:
    """Resize to `size` x `size` pixels, scale to [0, 1], subtract `mean`, divide by `std`.

    `fit`: "shortest" fills the square and crops the centre, "longest" letterboxes with black, "squash" ignores the
    aspect ratio and keeps every pixel's content.
    """

    size: int = 224
    mean: tuple[float, ...] = CLIP_MEAN
    std: tuple[float, ...] = CLIP_STD
    interpolation: Interpolation = "bicubic"
    fit: Fit = "shortest"

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError(f"size must be at least 1 pixel, got {self.size}")
        if self.fit not in FITS:
            raise ValueError(f"fit must be one of {', '.join(FITS)}, got {self.fit!r}")
        if self.interpolation not in ("bicubic", "bilinear"):
            raise ValueError(f"interpolation must be bicubic or bilinear, got {self.interpolation!r}")
        if len(self.mean) != 3 or len(self.std) != 3 or min(self.std) <= 0:
            raise ValueError(f"mean and std need three values, std above 0; got {self.mean} and {self.std}")

    @classmethod
    def from_json(cls, written: Mapping[str, Any], size: int) -> Preprocess:
        """Read open_clip's `preprocess_cfg`; what it leaves out is CLIP's own. Raises ValueError."""
        return cls(
            size=size,
            mean=tuple(float(value) for value in written.get("mean") or CLIP_MEAN),
            std=tuple(float(value) for value in written.get("std") or CLIP_STD),
            interpolation=written.get("interpolation") or "bicubic",
            fit=written.get("resize_mode") or "shortest",
        )

    def square(self, image: Image) -> Image:
        """Return what the tower sees of an image, before normalisation: `size` x `size` pixels.

        Step for step open_clip's evaluation transform (a test compares them bit for bit), in PIL alone, so that a
        heat map's backdrop and the tower's input are one and the same.
        """
        resample = Resampling.BICUBIC if self.interpolation == "bicubic" else Resampling.BILINEAR
        if self.fit == "squash":
            return image.resize((self.size, self.size), resample)
        width, height = image.size
        short, long = sorted(image.size)
        if self.fit == "shortest":
            far = int(self.size * long / short)
            resized = image.resize((self.size, far) if width <= height else (far, self.size), resample)
        else:
            ratio = long / self.size
            resized = image.resize((max(1, round(width / ratio)), max(1, round(height / ratio))), resample)
        left, top = (_offset(side, self.size) for side in resized.size)
        return resized.crop((left, top, left + self.size, top + self.size))  # beyond the edge PIL gives black

    def transform(self) -> Callable[[Image], Tensor]:
        """Return the map from an RGB image to the tower's input [3, size, size], float32."""
        import torch

        mean, std = (torch.tensor(values).view(3, 1, 1) for values in (self.mean, self.std))

        def apply(image: Image) -> Tensor:
            pixels = torch.from_numpy(np.array(self.square(image))).permute(2, 0, 1).contiguous()
            return (pixels.to(torch.float32) / 255 - mean) / std

        return apply


def _offset(side: int, size: int) -> int:
    """Return where the square starts along a side: inside it for a crop, before it (negative) for a border."""
    return round((side - size) / 2) if side >= size else -((size - side) // 2)


def pool_grid(features: Tensor, grid: int | None) -> Tensor:
    """Return the tokens [B, P, V] of a feature map [B, V, h, w], averaged to `grid` x `grid` cells if given."""
    from torch.nn import functional as F

    if grid is not None and tuple(features.shape[-2:]) != (grid, grid):
        features = F.adaptive_avg_pool2d(features, grid)
    return features.flatten(2).transpose(1, 2).contiguous()
