"""The `timm` encoder: a frozen image model whose last feature map becomes tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import skinframe
from skinframe import ModuleRow, Requirement, Tower
from skinframe.components import Shape
from skinframe.errors import Problem, RecipeError
from skinframe_clip.digests import digest_of, file_digest
from skinframe_clip.preprocess import FITS, Fit, Preprocess

if TYPE_CHECKING:
    from PIL.Image import Image

HALF = (0.5, 0.5, 0.5)
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True, kw_only=True)
class Known:
    """What a plan must know of an architecture before timm is imported: stride, channels V, and its pixel scaling."""

    stride: int
    channels: int
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD


# A test compares each row with what timm itself says.
KNOWN = {
    "tf_efficientnet_lite0": Known(stride=32, channels=1280, mean=HALF, std=HALF),
    "mobilenetv2_100": Known(stride=32, channels=1280),
    "resnet18": Known(stride=32, channels=512),
    "resnet50": Known(stride=32, channels=2048),
}


class Timm(skinframe.Encoder):
    """A frozen convolutional image model of timm, such as EfficientNet-Lite (Tan & Le 2019, arXiv:1905.11946).

    Signals, of one image:
        image_tokens [P, V]: the last feature map, cell by cell in reading order; averaged to `grid` x `grid` if set.
        image_embedding [D]: the mean of the last feature map, D = V, not normalised.
    It has no text tower: take `text_embedding` from another encoder (`hashed_text`), or drop the alignment terms.
    """

    name = "timm"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        """`weights` is a safetensors file with timm's keys, or torchvision's for `mobilenetv2_100`. `image_size` is
        in pixels a side. `fit` says how a rectangle becomes a square: crop, letterbox or squash.
        """

        weights: str
        architecture: str = "tf_efficientnet_lite0"
        image_size: int = 224
        grid: int | None = None
        fit: Fit = "shortest"

        def __post_init__(self) -> None:
            if self.architecture not in KNOWN:
                raise ValueError(f"architecture must be one of {', '.join(KNOWN)}, got {self.architecture!r}")
            if not 32 <= self.image_size <= 2048:
                raise ValueError(f"image_size must be in [32, 2048] pixels, got {self.image_size}")
            if self.grid is not None and not 1 <= self.grid <= self.cells:
                raise ValueError(f"grid must be in [1, {self.cells}] at image_size {self.image_size}, got {self.grid}")
            if self.fit not in FITS:
                raise ValueError(f"fit must be one of {', '.join(FITS)}, got {self.fit!r}")

        @property
        def cells(self) -> int:
            """Cells a side of the last feature map: ceil(image_size / stride)."""
            return -(-self.image_size // KNOWN[self.architecture].stride)

    @property
    def path(self) -> Path:
        return Path(self.config.weights).expanduser()

    def preprocess(self) -> Preprocess:
        known = KNOWN[self.config.architecture]
        return Preprocess(size=self.config.image_size, mean=known.mean, std=known.std, fit=self.config.fit)

    def provides(self) -> Mapping[str, Shape]:
        side = self.config.grid or self.config.cells
        channels = KNOWN[self.config.architecture].channels
        return {"image_tokens": (side * side, channels), "image_embedding": (channels,)}

    def digest(self) -> str:
        """Return the digest of weights, architecture, preprocessing and grid (see `OpenClip.digest` on absence)."""
        return digest_of(
            {
                "encoder": self.name,
                "architecture": self.config.architecture,
                "weights": file_digest(self.path) if self.path.is_file() else f"absent: {self.config.weights}",
                "preprocess": asdict(self.preprocess()),
                "grid": self.config.grid,
            }
        )

    def load(self, device: str) -> Tower:
        """Load the frozen model. Raises RecipeError where the file is absent, DataError where it does not fit."""
        if not self.path.is_file():
            raise RecipeError("timm", [Problem(str(self.path), f"no such weights; {self.missing()[0].next_step}")])
        from skinframe_clip._vision import load

        return load(self.path, self.config.architecture, self.preprocess().transform(), self.config.grid, device)

    def seen(self, image: Image) -> Image:
        return self.preprocess().square(image)

    def modules(self) -> list[ModuleRow]:
        from skinframe_clip._vision import count

        parameters, size, flops = count(self.config.architecture, self.config.image_size)
        name = f"{self.config.architecture} image tower"
        return [ModuleRow(name=name, role="frozen", parameters=parameters, bytes=size, flops_per_sample=flops)]

    def missing(self) -> list[Requirement]:
        if self.path.is_file():
            return []
        step = "set encoders.<name>.config.weights to the safetensors file of this architecture"
        return [Requirement(what=f"weights of {self.config.architecture} at {self.path}", next_step=step)]
