"""LLaVA-1.5 (Liu et al. 2023, arXiv:2310.03744): a CLIP tower, two linear layers and a Llama, laid out plainly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from skinframe_vlm.model_family import ChatTemplate, Family
from skinframe_vlm.native_vision_encoder import NativeVision
from skinframe_vlm.reasoner_options import ReasonerOptions, VisionOptions
from skinframe_vlm.vision_language_reasoner import VisionLanguageReasoner

MODEL = "llava-hf/llava-1.5-7b-hf"


class LlavaFamily(Family):
    model_type = "llava"
    title = "LLaVA"
    chat = ChatTemplate(
        prompt="<s>{system} USER: {image}\n{user} ASSISTANT:",
        image="{tokens}",
        placeholder="<image>",
        end="</s>",
        control=("<s>", "<image>", "</s>"),
    )
    crop = True
    parts = {"text_config": ("llama", "mistral"), "vision_config": ("clip_vision_model",)}  # noqa: RUF012
    text_defaults = {  # noqa: RUF012
        "hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32, "num_attention_heads": 32,
    }  # fmt: skip

    def classes(self) -> tuple[Any, Any]:
        from transformers import LlavaConfig, LlavaForConditionalGeneration

        return LlavaConfig, LlavaForConditionalGeneration

    def tokens(self, architecture: Mapping[str, Any], size: int) -> int:
        """Return the patch tokens, and one more where the class token is kept; the tower takes one size only."""
        own = int(architecture["vision_config"]["image_size"])
        if size != own:
            raise ValueError(f"{size} is not the tower's {own}, the only size it takes")
        whole = architecture.get("vision_feature_select_strategy", "default") == "full"
        return super().tokens(architecture, size) + int(whole)


class LlavaVision(NativeVision):
    """LLaVA's CLIP tower and projector (Liu et al. 2023, arXiv:2310.03744), frozen; its tokens [B, P, H]."""

    name = "llava_vision"
    family = LlavaFamily()

    @dataclass(frozen=True, kw_only=True)
    class Config(VisionOptions):
        model: str = MODEL
        size: int = 336


class Llava(VisionLanguageReasoner):
    """LLaVA (Liu et al. 2023, arXiv:2310.03744), NF4 (Dettmers et al. 2023, arXiv:2305.14314), LoRA adapters."""

    name = "llava"
    family = LlavaFamily()
    eyes = LlavaVision

    @dataclass(frozen=True, kw_only=True)
    class Config(ReasonerOptions):
        model: str = MODEL
        native_size: int = 336
