"""Vision-language reasoners: NF4 weights, LoRA adapters, a trained connector, and each model's own vision tower."""

from __future__ import annotations

import skinframe
from skinframe_vlm.models.llava import Llava, LlavaVision
from skinframe_vlm.models.qwen2_5_vl import Qwen25VL, QwenVision
from skinframe_vlm.models.qwen3_vl import Qwen3VL, Qwen3VLVision

__all__ = ["Llava", "LlavaVision", "Qwen3VL", "Qwen3VLVision", "Qwen25VL", "QwenVision"]


@skinframe.hookimpl
def register_reasoners() -> list[type[skinframe.Reasoner]]:
    return [Llava, Qwen25VL, Qwen3VL]


@skinframe.hookimpl
def register_encoders() -> list[type[skinframe.Encoder]]:
    return [LlavaVision, QwenVision, Qwen3VLVision]
