"""Qwen2.5-VL (Bai et al. 2025, arXiv:2502.13923): rotary positions of three axes over each image's own token grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from skinframe_vlm.model_family import TOKENS, ChatTemplate, Family, ImageInput, PromptTokens
from skinframe_vlm.native_vision_encoder import NativeVision
from skinframe_vlm.reasoner_options import ReasonerOptions, VisionOptions
from skinframe_vlm.vision_language_reasoner import VisionLanguageReasoner

if TYPE_CHECKING:
    from torch import Tensor

IMAGE_PAD = "<|image_pad|>"
CHAT = ChatTemplate(
    prompt="<|im_start|>system\n{system}<|im_end|>\n<|im_start|>user\n{image}{user}<|im_end|>\n<|im_start|>assistant\n",
    image="<|vision_start|>{tokens}<|vision_end|>",
    placeholder=IMAGE_PAD,
    end="<|im_end|>",
    control=("<|im_start|>", "<|im_end|>", "<|vision_start|>", IMAGE_PAD, "<|vision_end|>"),
)


class Qwen25VLFamily(Family):
    model_type = "qwen2_5_vl"
    title = "Qwen2.5-VL"
    chat = CHAT
    eyes = ("model.visual",)
    mergers: ClassVar[tuple[str, ...]] = ("model.visual.merger",)

    def classes(self) -> tuple[Any, Any]:
        from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

        return Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    def merge(self, architecture: Mapping[str, Any]) -> int:
        return int(architecture["vision_config"].get("spatial_merge_size", 2))

    def see(self, model: Any, images: Sequence[Tensor]) -> list[dict[str, Tensor]]:
        return [{TOKENS: tokens} for tokens in self.features(model, images).pooler_output]

    def features(self, model: Any, images: Sequence[Tensor]) -> Any:
        """Return the tower's outputs for images of any sizes."""
        import torch

        vision = model.config.vision_config
        options = (vision.patch_size, vision.spatial_merge_size, vision.temporal_patch_size)
        patches = torch.cat([patchify(image.unsqueeze(0), *options)[0] for image in images])
        sides = [[size // vision.patch_size for size in image.shape[1:]] for image in images]
        grid = torch.tensor([[1, *side] for side in sides], device=patches.device)
        return model.model.get_image_features(patches, grid)

    def positions(self, model: Any, prompt: PromptTokens, images: Sequence[ImageInput]) -> Tensor:
        """Return [3, B, S] by the model's own rule, which reads each row's images in order."""
        import torch

        merge = model.config.vision_config.spatial_merge_size  # the rule divides by it
        sides = torch.stack([image.grid for image in images], dim=1).flatten(0, 1) * merge
        positions: Tensor = model.model.get_rope_index(
            prompt.ids,
            mm_token_type_ids=prompt.placeholder.int(),
            image_grid_thw=torch.cat([torch.ones_like(sides[:, :1]), sides], dim=1),
            attention_mask=prompt.present,
        )[0]
        return positions


def patchify(pixels: Tensor, patch: int, merge: int, frames: int) -> Tensor:
    """Cut images [B, 3, height, width] into the tower's patches [B, patches, 3 * frames * patch^2].

    The order is Qwen's: merge x merge neighbours follow each other; a still image is repeated `frames` times.
    """
    B, C, height, width = pixels.shape
    rows, columns = height // (patch * merge), width // (patch * merge)
    grid = pixels.view(B, C, rows, merge, patch, columns, merge, patch)
    grid = grid.permute(0, 2, 5, 3, 6, 1, 4, 7)  # B, row, column, merge row, merge column, C, patch row, patch column
    grid = grid.unsqueeze(6).expand(-1, -1, -1, -1, -1, -1, frames, -1, -1)
    return grid.reshape(B, rows * columns * merge**2, C * frames * patch * patch)


class QwenVision(NativeVision):
    """Qwen2.5-VL's vision tower (Bai et al. 2025, arXiv:2502.13923), frozen; its merged tokens [B, P, V]."""

    name = "qwen2_5_vl_vision"
    family = Qwen25VLFamily()

    @dataclass(frozen=True, kw_only=True)
    class Config(VisionOptions):
        model: str = "embedded:qwen"


class Qwen25VL(VisionLanguageReasoner):
    """Qwen2.5-VL (Bai et al. 2025, arXiv:2502.13923), NF4 (Dettmers et al. 2023, arXiv:2305.14314), LoRA adapters."""

    name = "qwen2_5_vl"
    family = Qwen25VLFamily()
    eyes = QwenVision

    @dataclass(frozen=True, kw_only=True)
    class Config(ReasonerOptions):
        model: str = "embedded:qwen"
