"""Qwen2.5-VL under the plugin name `qwen`, as recipes written before `skinframe-vlm` require it."""

from __future__ import annotations

from skinframe_vlm import Qwen25VL, QwenVision

import skinframe

__all__ = ["Qwen25VL", "QwenVision"]


@skinframe.hookimpl
def register_reasoners() -> list[type[skinframe.Reasoner]]:
    return [Qwen25VL]


@skinframe.hookimpl
def register_encoders() -> list[type[skinframe.Encoder]]:
    return [QwenVision]
