"""The `timm` encoder: an image model, frozen or trained, whose last feature map becomes tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import skinframe
from skinframe import ModuleRow, Requirement, Tower
from skinframe.components import BuildContext, Shape
from skinframe.data.augmentation import Augmentation
from skinframe.errors import Problem, RecipeError, did_you_mean
from skinframe.file_digest import file_digest
from skinframe_clip.encoder_digest import digest_of
from skinframe_clip.image_preprocessing import FITS, Fit, Preprocess

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor, nn

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
    """A convolutional image model of timm, such as EfficientNet-Lite (Tan & Le 2019, arXiv:1905.11946).

    Frozen by default, with cached features. With `trained` it is a part of the model and reads augmented pixels.

    Signals, of one image:
        image_tokens [P, V]: the last feature map, cell by cell in reading order; averaged to `grid` x `grid` if set.
        image_embedding [D]: the mean of the last feature map, D = V, not normalised.
    It has no text tower: take `text_embedding` from another encoder (`hashed_text`), or drop the alignment terms.
    """

    name = "timm"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        """`weights` is a safetensors file with timm's keys, or torchvision's for `mobilenetv2_100`; a trained encoder
        without it starts at random weights. `image_size` is in pixels per side. `fit` says how a rectangle becomes a
        square: crop, letterbox or squash. `freeze` names submodules that do not train, such as `conv_stem`; `crop` and
        `colour` are the augmentation of a trained encoder.
        """

        weights: str = ""
        architecture: str = "tf_efficientnet_lite0"
        image_size: int = 224
        grid: int | None = None
        fit: Fit = "shortest"
        trained: bool = False
        freeze: tuple[str, ...] = ()
        crop: float = 1.0  # smallest share of the area that a random crop keeps; 1: no crop
        colour: float = 0.0  # largest relative change of brightness, contrast and saturation

        def __post_init__(self) -> None:
            if self.architecture not in KNOWN:
                raise ValueError(f"architecture must be one of {', '.join(KNOWN)}, got {self.architecture!r}")
            if not 32 <= self.image_size <= 2048:
                raise ValueError(f"image_size must be in [32, 2048] pixels, got {self.image_size}")
            if self.grid is not None and not 1 <= self.grid <= self.cells:
                raise ValueError(f"grid must be in [1, {self.cells}] at image_size {self.image_size}, got {self.grid}")
            if self.fit not in FITS:
                raise ValueError(f"fit must be one of {', '.join(FITS)}, got {self.fit!r}")
            if (self.freeze or self.augmentation != Augmentation()) and not self.trained:
                raise ValueError("freeze, crop and colour must not be given unless the encoder is trained")

        @property
        def cells(self) -> int:
            """Cells a side of the last feature map: ceil(image_size / stride)."""
            return -(-self.image_size // KNOWN[self.architecture].stride)

        @property
        def augmentation(self) -> Augmentation:
            return Augmentation(crop=self.crop, colour=self.colour)

    @property
    def mode(self) -> Literal["cached", "trained"]:  # type: ignore[override]
        return "trained" if self.config.trained else "cached"

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
                "weights": self._weights_digest(),
                "preprocess": asdict(self.preprocess()),
                "grid": self.config.grid,
                **self._training_options(),
            }
        )

    def _training_options(self) -> dict[str, object]:
        """Return what a digest names beside the parts of a frozen encoder; nothing for a frozen one."""
        options = self.config
        return {"trained": [list(options.freeze), options.crop, options.colour]} if options.trained else {}

    def _weights_digest(self) -> str:
        if self.config.trained and not self.config.weights:
            return "random"
        return file_digest(self.path) if self.path.is_file() else f"absent: {self.config.weights}"

    def load(self, device: str) -> Tower:
        """Load the frozen model. Raises RecipeError where the file is absent, DataError where it does not fit."""
        if not self.path.is_file():
            raise RecipeError("timm", [Problem(str(self.path), f"no such weights; {self.missing()[0].next_step}")])
        from skinframe_clip._timm_modules import load

        return load(self.path, self.config.architecture, self.preprocess().transform(), self.config.grid, device)

    def seen(self, image: Image) -> Image:
        return self.preprocess().square(image)

    def augment(self, image: Image, seed: int) -> Image:
        augmentation: Augmentation = self.config.augmentation
        return augmentation.apply(image, seed)

    def pixels(self, image: Image) -> Tensor:
        return self.preprocess().transform()(image)

    def build(self, context: BuildContext) -> nn.Module:
        """Build the module in training. Raises ValueError for a submodule to freeze that the model does not have."""
        from skinframe_clip._timm_modules import build

        path = self.path if self.config.weights else None
        module = build(path, self.config.architecture, self.config.grid, context.seed)
        known = [name for name, _ in module.model.named_modules()]
        for name in self.config.freeze:
            if name not in known[1:]:
                hint = did_you_mean(name, known)
                raise ValueError(f"freeze: no submodule {name!r} in {self.config.architecture}{hint}")
        return module

    def frozen_parts(self) -> tuple[str, ...]:
        return tuple(f"model.{name}" for name in self.config.freeze)

    def modules(self) -> list[ModuleRow]:
        from skinframe_clip._timm_modules import count

        parameters, size, flops = count(self.config.architecture, self.config.image_size)
        name = f"{self.config.architecture} image tower"
        role: Literal["frozen", "trained"] = "trained" if self.config.trained else "frozen"
        return [ModuleRow(name=name, role=role, parameters=parameters, bytes=size, flops_per_sample=flops)]

    def missing(self) -> list[Requirement]:
        if self.path.is_file() or (self.config.trained and not self.config.weights):
            return []
        step = "set encoders.<name>.config.weights to the safetensors file of this architecture"
        return [Requirement(what=f"weights of {self.config.architecture} at {self.path}", next_step=step)]
