"""From an RGB image to a normalised square: the numbers that open_clip calls `preprocess_cfg`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

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
        """Return the pixels that `transform` keeps, as a square image of `size`."""
        from PIL import Image as PIL

        width, height = image.size
        if self.fit == "squash":
            return image.resize((self.size, self.size), PIL.Resampling.BICUBIC)
        scale = self.size / (min if self.fit == "shortest" else max)(width, height)
        resized = image.resize((round(width * scale), round(height * scale)), PIL.Resampling.BICUBIC)
        left, top = ((side - self.size) // 2 for side in resized.size)
        return resized.crop((left, top, left + self.size, top + self.size))  # beyond the edge PIL gives black

    def transform(self) -> Callable[[Image], Tensor]:
        """Return open_clip's own evaluation transform for these numbers: RGB image -> [3, size, size] float32."""
        from open_clip.transform import PreprocessCfg, image_transform_v2

        cfg = PreprocessCfg(
            size=self.size, mean=self.mean, std=self.std, interpolation=self.interpolation, resize_mode=self.fit
        )
        transform: Callable[[Image], Tensor] = image_transform_v2(cfg, is_train=False)
        return transform
