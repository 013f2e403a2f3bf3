"""The options that every vision-language reasoner takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Lora:
    """Low-rank adapters (Hu et al. 2021, arXiv:2106.09685) on every linear layer of the language model's decoder."""

    r: int = 64
    alpha: float = 16.0
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if self.r < 1:
            raise ValueError(f"r must be at least 1, got {self.r}")
        if self.alpha <= 0:
            raise ValueError(f"alpha must be positive, got {self.alpha}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be in [0, 1), got {self.dropout}")


@dataclass(frozen=True, kw_only=True)
class ReasonerOptions:
    """Options of a vision-language reasoner.

    `model`: `embedded:NAME`, a local folder, or a hub id taken at `revision` from the hub's local cache.
    `vision`: which image tokens the language model reads: those of the recipe's frozen encoder through a trained
    connector (`clip`), those of the model's own frozen vision tower (`native`; the tower is loaded only then), or
    both, one after the other.
    `encoder`: instance name of the recipe's encoder. `pool`: averages windows of pool x pool of its tokens, so 2 turns
    16 x 16 into 8 x 8. `native_size`: side in pixels of the input of the model's own tower.
    `connector_dropout`: dropout after the connector's GELU. `token_dropout`: share of image tokens masked in training.
    """

    model: str
    revision: str = "main"
    vision: Literal["clip", "native", "both"] = "clip"
    encoder: str = "clip"
    quantize: Literal["nf4", "none"] = "nf4"
    lora: Lora = field(default_factory=Lora)
    pool: int | None = None
    native_size: int = 224
    connector_dropout: float = 0.0
    token_dropout: float = 0.0
    gradient_checkpointing: bool = False

    def __post_init__(self) -> None:
        if self.pool is not None and self.pool < 1:
            raise ValueError(f"pool must be at least 1, got {self.pool}")
        for name in ("connector_dropout", "token_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must be in [0, 1), got {getattr(self, name)}")


@dataclass(frozen=True, kw_only=True)
class VisionOptions:
    """Options of a model's own vision tower. `size`: side in pixels of its input, a multiple of one image token."""

    model: str
    revision: str = "main"
    size: int = 224
    precision: Literal["fp32", "bf16"] = "fp32"

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError(f"size must be positive, got {self.size}")


@dataclass(frozen=True, kw_only=True)
class AspectOptions(ReasonerOptions):
    """Options of a family whose tower takes rectangles.

    `native_aspect`: `square` resizes every image to native_size x native_size; `keep` keeps each image's aspect ratio
    and gives it at most as many tokens as the square has, so images of one batch differ in their token grids.
    """

    native_aspect: Literal["square", "keep"] = "square"


@dataclass(frozen=True, kw_only=True)
class AspectVisionOptions(VisionOptions):
    """Options of a tower that takes rectangles. `aspect`: `square`, or `keep` for each image's own aspect ratio."""

    aspect: Literal["square", "keep"] = "square"
