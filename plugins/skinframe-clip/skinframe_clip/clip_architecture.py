"""The shapes of a CLIP ViT, read from open_clip's JSON alone: no torch, no weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from skinframe.errors import Problem, RecipeError

# What open_clip can build that this plugin does not: towers of other libraries, which fetch code or weights themselves.
FOREIGN = ("custom_text", "multimodal_cfg")
FOREIGN_VISION = ("timm_model_name", "attentional_pool")
FOREIGN_TEXT = ("hf_model_name", "tokenizer_mode")
LARGEST = 100_000  # of any size in a config; published ones are under 10,000
TOKENIZER_OPTIONS = frozenset({"clean", "strip_sep_token", "reduction_mask"})


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """Sizes of a CLIP with a ViT image tower: P = rows x columns patches of width V, joint embedding D."""

    image_size: int
    rows: int
    columns: int
    width: int
    layers: int
    embedding: int
    mlp_ratio: float = 4.0

    @property
    def flops(self) -> float:
        """FLOPs of one image through the tower: 2 per multiply-add of its matrices, plus attention's own products."""
        tokens = self.rows * self.columns + 1
        block = (4 + 2 * self.mlp_ratio) * self.width**2 * tokens + 2 * tokens**2 * self.width
        patch = (self.image_size / self.rows) * (self.image_size / self.columns) * 3 * self.width
        return 2 * (block * self.layers + patch * (tokens - 1) + self.width * self.embedding)

    @classmethod
    def read(cls, label: str, model_cfg: Mapping[str, Any]) -> Architecture:
        """Read open_clip's `model_cfg`. Raises RecipeError where it is not a native CLIP with a ViT."""
        _refuse_foreign(label, model_cfg)
        try:
            vision = model_cfg["vision_cfg"]
            height, width = _pair(vision.get("image_size", 224))
            patch_height, patch_width = _pair(vision.get("patch_size", 16))
            if height != width:
                raise ValueError(f"image_size {height} x {width} is not square")
            numbers = (height, patch_height, patch_width, vision.get("width", 768), vision.get("layers", 12))
            if not all(0 < int(number) <= LARGEST for number in (*numbers, model_cfg["embed_dim"])):
                raise ValueError(f"sizes must be between 1 and {LARGEST:,}")
            if patch_height > height or patch_width > height:
                raise ValueError(f"a patch is larger than the image of {height} pixels")
            return cls(
                image_size=height,
                rows=height // patch_height,
                columns=width // patch_width,
                width=int(vision.get("width", 768)),
                layers=int(vision.get("layers", 12)),
                embedding=int(model_cfg["embed_dim"]),
                mlp_ratio=float(vision.get("mlp_ratio", 4.0)),
            )
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, ZeroDivisionError) as error:
            raise RecipeError("open_clip", [Problem(label, f"model_cfg cannot be used: {error!r}")]) from error


def _pair(value: Any) -> tuple[int, int]:
    return (int(value[0]), int(value[1])) if isinstance(value, (list, tuple)) else (int(value), int(value))


def _options(text: Any) -> Any:
    return (text.get("tokenizer_kwargs") or {}) if isinstance(text, Mapping) else {}


def _refuse_foreign(label: str, model_cfg: Mapping[str, Any]) -> None:
    vision, text = model_cfg.get("vision_cfg") or {}, model_cfg.get("text_cfg") or {}
    for name, section in (("vision_cfg", vision), ("text_cfg", text), ("tokenizer_kwargs", _options(text))):
        if not isinstance(section, Mapping):
            raise RecipeError("open_clip", [Problem(label, f"model_cfg cannot be used: {name} is not an object")])
    foreign = [f"model_cfg.{key}" for key in FOREIGN if model_cfg.get(key)]
    foreign += [f"vision_cfg.{key}" for key in FOREIGN_VISION if vision.get(key)]
    foreign += [f"text_cfg.{key}" for key in FOREIGN_TEXT if text.get(key)]
    # Tokenizer options reach the constructor as they stand; `trust_remote_code` among them would run a stranger's code.
    foreign += [f"text_cfg.tokenizer_kwargs.{key}" for key in sorted({*_options(text)} - TOKENIZER_OPTIONS)]
    if isinstance(vision.get("layers"), (list, tuple)):
        foreign.append("vision_cfg.layers (a ResNet)")
    if foreign:
        what = f"only native CLIP models with a ViT image tower are supported; it sets {', '.join(foreign)}"
        raise RecipeError("open_clip", [Problem(label, what)])
