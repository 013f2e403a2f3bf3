"""The Qwen2.5-VL reasoner (Bai et al. 2025, arXiv:2502.13923): NF4 weights, LoRA adapters, and its own vision tower."""

from __future__ import annotations

import skinframe
from skinframe_qwen.reasoner import Qwen25VL
from skinframe_qwen.vision import QwenVision

__all__ = ["Qwen25VL", "QwenVision"]


@skinframe.hookimpl
def register_reasoners() -> list[type[skinframe.Reasoner]]:
    return [Qwen25VL]


@skinframe.hookimpl
def register_encoders() -> list[type[skinframe.Encoder]]:
    return [QwenVision]
