"""Qwen's own tower: preprocessing, equality with transformers' image features, and the reasoner over it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skinframe_vlm import Qwen25VL, QwenVision
from skinframe_vlm.models.qwen2_5_vl import Qwen25VLFamily, patchify
from skinframe_vlm.reasoner_options import Lora

from skinframe import BuildContext, PromptText, RecipeError
from skinframe.data.token_padding import lay_out

FAMILY = Qwen25VLFamily()
QUESTION = PromptText(system="You are a dermatologist.", user="Which class is this lesion?")


def pictures(count: int, size: int = 112) -> list[Image.Image]:
    rng = np.random.default_rng(0)
    return [Image.fromarray(rng.integers(0, 256, (size, size, 3), dtype=np.uint8)) for _ in range(count)]


def test_patches_equal_transformers_own_processor() -> None:
    from skinframe_vlm.native_vision_tower import pixels_of
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    images = pictures(2)
    theirs = Qwen2VLImageProcessorPil(do_resize=False)(images, return_tensors="pt")
    ours = patchify(torch.stack([pixels_of(FAMILY, image, 112, 112) for image in images]), 14, 2, 2)
    torch.testing.assert_close(ours.flatten(0, 1), theirs["pixel_values"], atol=1e-5, rtol=0)
    assert theirs["image_grid_thw"].tolist() == [[1, 8, 8], [1, 8, 8]]


def test_tokens_equal_the_whole_models_image_features(checkpoint: Path) -> None:
    from skinframe_vlm.native_vision_tower import pixels_of
    from transformers import Qwen2_5_VLForConditionalGeneration

    encoder = QwenVision(QwenVision.Config(model=str(checkpoint), size=112))
    tower = encoder.load("cpu")
    images = pictures(3)
    tokens = tower.images(images)["image_tokens"]
    assert tuple(tokens.shape[1:]) == encoder.provides()["image_tokens"] == (16, 128)
    assert tower.calls == 1
    whole = Qwen2_5_VLForConditionalGeneration.from_pretrained(checkpoint, dtype=torch.float32).eval()
    patches = patchify(torch.stack([pixels_of(FAMILY, image, 112, 112) for image in images]), 14, 2, 2).flatten(0, 1)
    with torch.no_grad():
        found = whole.model.get_image_features(patches, torch.tensor([[1, 8, 8]] * 3))
    torch.testing.assert_close(tokens, torch.stack(found.pooler_output), atol=1e-5, rtol=0)


def test_the_tower_is_frozen_and_not_quantised(checkpoint: Path) -> None:
    tower = QwenVision(QwenVision.Config(model=str(checkpoint), size=112)).load("cpu").model
    assert not tower.training
    assert all(not p.requires_grad and p.dtype == torch.float32 for p in tower.parameters())
    assert {name.split(".")[1] for name, _ in tower.named_parameters()} == {"visual"}


@pytest.mark.parametrize("vision", ["native", "both"])
def test_the_reasoner_reads_native_tokens(checkpoint: Path, vision: str) -> None:
    options = Qwen25VL.Config(model=str(checkpoint), vision=vision, native_size=112, lora=Lora(r=4), pool=2)
    reasoner = Qwen25VL(options)
    tower = reasoner.brings()["native"].load("cpu")
    shapes = {"native.image_tokens": (16, 128), "clip.image_tokens": (16, 24)}
    module = reasoner.build(BuildContext(classes=("a", "b"), shapes=shapes, seed=1)).eval()
    assert not any("visual" in name for name, _ in module.named_modules())
    assert (module.connector is None) == (vision == "native")
    row = module.tokenize(QUESTION, None)
    assert row.prompt.count(module._text.control["<|vision_start|>"]) == (1 if vision == "native" else 2)
    assert row.prompt.count(module._text.placeholder) == (16 if vision == "native" else 4 + 16)
    tokens = {"native.image_tokens": tower.images(pictures(1))["image_tokens"].requires_grad_(True)}
    if vision == "both":
        tokens["clip.image_tokens"] = torch.randn(1, 16, 24, requires_grad=True)
    module({**lay_out([row], module.pad_id), **tokens}, frozenset({"hidden"}))["hidden"].sum().backward()
    assert all(t.grad is not None and (t.grad.abs().sum(-1) > 0).all() for t in tokens.values())


def test_a_native_prompt_is_read_as_transformers_reads_it(checkpoint: Path) -> None:
    """The whole path, image to state, against transformers' own forward over pixels."""
    from skinframe_vlm.native_vision_tower import pixels_of
    from transformers import Qwen2_5_VLForConditionalGeneration

    options = Qwen25VL.Config(model=str(checkpoint), vision="native", native_size=112, quantize="none")
    reasoner = Qwen25VL(options)
    shapes = {"native.image_tokens": (16, 128)}
    module = reasoner.build(BuildContext(classes=("a", "b"), shapes=shapes, seed=1)).eval()
    image = pictures(1)
    tokens = reasoner.brings()["native"].load("cpu").images(image)["image_tokens"]
    batch = {**lay_out([module.tokenize(QUESTION, None)], module.pad_id), "native.image_tokens": tokens}
    whole = Qwen2_5_VLForConditionalGeneration.from_pretrained(checkpoint, dtype=torch.float32).eval()
    with torch.no_grad():
        ours = module.base.lm_head(module(batch, frozenset({"hidden"}))["hidden"])
        theirs = whole(
            input_ids=batch["token_ids"],
            pixel_values=patchify(pixels_of(FAMILY, image[0], 112, 112).unsqueeze(0), 14, 2, 2)[0],
            image_grid_thw=torch.tensor([[1, 8, 8]]),
            mm_token_type_ids=(batch["token_ids"] == whole.config.image_token_id).int(),
        ).logits[:, -1]
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=0)


def test_a_size_that_is_no_multiple_of_the_merged_patch_is_refused(checkpoint: Path) -> None:
    with pytest.raises(RecipeError, match="100 is not a multiple of 28"):
        QwenVision(QwenVision.Config(model=str(checkpoint), size=100)).provides()
