"""Qwen2.5-VL's own vision tower as a frozen encoder: one fixed square input size, tokens after the merger."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import skinframe
from skinframe.components import Shape
from skinframe.errors import Problem
from skinframe_qwen.checkpoint import Checkpoint, vision_facts

CODE_VERSION = 1  # raise it when preprocessing or the layer that is read changes: it is part of the cache key


class QwenVision(skinframe.Encoder):
    """Qwen2.5-VL's vision tower (Bai et al. 2025, arXiv:2502.13923), frozen; its merged tokens [B, P, V]."""

    name = "qwen2_5_vl_vision"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        """`size`: side in pixels that every image is resized to, a multiple of the merged patch (28 for Qwen)."""

        model: str = "embedded:qwen"
        revision: str = "main"
        size: int = 224
        precision: Literal["fp32", "bf16"] = "fp32"

        def __post_init__(self) -> None:
            if self.size < 1:
                raise ValueError(f"size must be positive, got {self.size}")

    @property
    def checkpoint(self) -> Checkpoint:
        return Checkpoint(model=self.config.model, revision=self.config.revision)

    def provides(self) -> Mapping[str, Shape]:
        """Return `{"image_tokens": (P, V)}`. Raises RecipeError where `size` is no multiple of the merged patch."""
        pixels, width = vision_facts(self.checkpoint.architecture())
        side, rest = divmod(self.config.size, pixels)
        if rest or not side:
            problem = Problem("size", f"{self.config.size} is not a multiple of {pixels}, the merged patch")
            raise skinframe.RecipeError(self.name, [problem])
        return {"image_tokens": (side * side, width)}

    def digest(self) -> str:
        parts = (self.checkpoint.digest(), self.config.size, self.config.precision, "merger", CODE_VERSION)
        return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()

    def missing(self) -> list[skinframe.Requirement]:
        return self.checkpoint.missing()

    def modules(self) -> list[skinframe.ModuleRow]:
        from skinframe_qwen._count import tower_row

        side = self.provides()["image_tokens"][0]
        return [tower_row(self.checkpoint.architecture(), tokens=side, precision=self.config.precision)]

    def load(self, device: str) -> skinframe.Tower:
        from skinframe_qwen._tower import QwenTower

        folder = self.checkpoint.folder
        if folder is None:
            raise skinframe.RecipeError(self.name, [Problem(self.config.model, self.checkpoint.next_step())])
        return QwenTower(folder, self.config.size, self.config.precision, device)
