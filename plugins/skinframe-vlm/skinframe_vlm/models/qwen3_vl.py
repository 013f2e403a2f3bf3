"""Qwen3-VL (Bai et al. 2025, arXiv:2511.21631): DeepStack features in the first decoder layers, interleaved mRoPE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from skinframe.components import Shape
from skinframe_vlm.model_family import TOKENS, ImageInput, PromptTokens
from skinframe_vlm.models.qwen2_5_vl import Qwen25VLFamily
from skinframe_vlm.native_vision_encoder import NativeVision
from skinframe_vlm.reasoner_options import AspectOptions, AspectVisionOptions
from skinframe_vlm.vision_language_reasoner import VisionLanguageReasoner

if TYPE_CHECKING:
    from torch import Tensor

DEEPSTACK = "deepstack"  # features of K layers of the tower, [B, P, K, H]
MODEL = "Qwen/Qwen3-VL-4B-Instruct"


class Qwen3VLFamily(Qwen25VLFamily):
    model_type = "qwen3_vl"
    title = "Qwen3-VL"
    mergers = ("model.visual.merger", "model.visual.deepstack_merger_list")
    mean = std = (0.5, 0.5, 0.5)
    signals = (TOKENS, DEEPSTACK)

    def classes(self) -> tuple[Any, Any]:
        from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

        return Qwen3VLConfig, Qwen3VLForConditionalGeneration

    def outputs(self, architecture: Mapping[str, Any], tokens: int) -> Mapping[str, Shape]:
        P, H = super().outputs(architecture, tokens)[TOKENS]
        return {TOKENS: (P, H), DEEPSTACK: (P, len(architecture["vision_config"]["deepstack_visual_indexes"]), H)}

    def see(self, model: Any, images: Sequence[Tensor]) -> list[dict[str, Tensor]]:
        import torch

        features = self.features(model, images)
        layers = [torch.stack(image, dim=1) for image in zip(*features.deepstack_features, strict=True)]
        return [{TOKENS: t, DEEPSTACK: d} for t, d in zip(features.pooler_output, layers, strict=True)]

    def inputs(self, model: Any, prompt: PromptTokens, images: Sequence[ImageInput]) -> dict[str, Any]:
        """Add the tower's inner features to the first decoder layers, where the image has them."""
        import torch

        inputs = super().inputs(model, prompt, images)
        if not any(DEEPSTACK in image.outputs for image in images):
            return inputs  # the tokens of another encoder alone
        dtype = inputs["inputs_embeds"].dtype
        K = next(image.outputs[DEEPSTACK].shape[2] for image in images if DEEPSTACK in image.outputs)
        parts = [
            image.outputs.get(DEEPSTACK, image.tokens.new_zeros(*image.tokens.shape[:2], K, image.tokens.shape[-1]))
            for image in images
        ]
        layers = torch.cat(parts, dim=1).to(dtype).flatten(0, 1).unbind(1)
        return {**inputs, "visual_pos_masks": prompt.placeholder, "deepstack_visual_embeds": list(layers)}


class Qwen3VLVision(NativeVision):
    """Qwen3-VL's vision tower (Bai et al. 2025, arXiv:2511.21631), frozen; merged tokens and DeepStack features."""

    name = "qwen3_vl_vision"
    family = Qwen3VLFamily()

    @dataclass(frozen=True, kw_only=True)
    class Config(AspectVisionOptions):
        model: str = MODEL
        size: int = 256


class Qwen3VL(VisionLanguageReasoner):
    """Qwen3-VL (Bai et al. 2025, arXiv:2511.21631), NF4 (Dettmers et al. 2023, arXiv:2305.14314), LoRA adapters."""

    name = "qwen3_vl"
    family = Qwen3VLFamily()
    eyes = Qwen3VLVision

    @dataclass(frozen=True, kw_only=True)
    class Config(AspectOptions):
        model: str = MODEL
        native_size: int = 256
