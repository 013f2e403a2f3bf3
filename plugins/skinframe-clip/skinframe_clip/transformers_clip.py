"""CLIP folders in the transformers format: their config.json as open_clip's, and their tensors by open_clip's names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from skinframe.errors import Problem, RecipeError

if TYPE_CHECKING:
    from torch import Tensor

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
PREPROCESS = "preprocessor_config.json"
VOCABULARY = 49408  # of the tokenizer that CLIP was published with, which open_clip has built in
ACTIVATIONS = {"quick_gelu": True, "gelu": False}
NAMES = {
    "logit_scale": "logit_scale",
    "vision_model.embeddings.class_embedding": "visual.class_embedding",
    "vision_model.embeddings.patch_embedding.weight": "visual.conv1.weight",
    "vision_model.embeddings.position_embedding.weight": "visual.positional_embedding",
    "visual_projection.weight": "visual.proj",
    "text_model.embeddings.token_embedding.weight": "token_embedding.weight",
    "text_model.embeddings.position_embedding.weight": "positional_embedding",
    "text_projection.weight": "text_projection",
}
PARTS = {
    "vision_model.pre_layrnorm": "visual.ln_pre",  # so spelled in the published files
    "vision_model.post_layernorm": "visual.ln_post",
    "text_model.final_layer_norm": "ln_final",
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
    "self_attn.out_proj": "attn.out_proj",
}
TRANSPOSED = ("visual.proj", "text_projection")
BLOCK = re.compile(r"(vision|text)_model\.encoder\.layers\.(\d+)\.(.+)\.(weight|bias)")
JOINED = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")  # one matrix in open_clip


def model_cfg(label: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return open_clip's `model_cfg` of a transformers CLIPConfig. Raises RecipeError where it cannot be one."""
    try:
        vision, text = dict(config.get("vision_config") or {}), dict(config.get("text_config") or {})
        vocabulary = int(text.get("vocab_size", VOCABULARY))
        activations = {str(part.get("hidden_act", "quick_gelu")) for part in (vision, text)}
        if vocabulary != VOCABULARY or len(activations) != 1 or not activations <= ACTIVATIONS.keys():
            what = f"vocabulary {vocabulary}, activation {' and '.join(sorted(activations))}"
            raise ValueError(f"{what}; only a vocabulary of {VOCABULARY} with gelu or quick_gelu is supported")
        width, heads = int(vision.get("hidden_size", 768)), int(vision.get("num_attention_heads", 12))
        return {
            "embed_dim": int(config.get("projection_dim", 512)),
            "quick_gelu": ACTIVATIONS[activations.pop()],
            "vision_cfg": {
                "image_size": int(vision.get("image_size", 224)),
                "patch_size": int(vision.get("patch_size", 32)),
                "width": width,
                "layers": int(vision.get("num_hidden_layers", 12)),
                "head_width": width // heads,
                "mlp_ratio": int(vision.get("intermediate_size", 4 * width)) / width,
            },
            "text_cfg": {
                "context_length": int(text.get("max_position_embeddings", 77)),
                "vocab_size": vocabulary,
                "width": (text_width := int(text.get("hidden_size", 512))),
                "mlp_ratio": int(text.get("intermediate_size", 4 * text_width)) / text_width,
                "heads": int(text.get("num_attention_heads", 8)),
                "layers": int(text.get("num_hidden_layers", 12)),
            },
        }
    except (TypeError, ValueError, ZeroDivisionError, AttributeError, OverflowError) as error:
        raise RecipeError("open_clip", [Problem(label, f"{CONFIG} cannot be used: {error}")]) from error


def preprocess_cfg(written: Mapping[str, Any]) -> dict[str, Any]:
    """Return open_clip's `preprocess_cfg` of a preprocessor_config.json."""
    return {"mean": written.get("image_mean"), "std": written.get("image_std")}


def open_clip_state(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a transformers CLIP's tensors by open_clip's names and layout. Raises KeyError for an unknown name."""
    import torch

    found: dict[str, Tensor] = {}
    for name, value in state.items():
        if name.endswith("position_ids"):  # 0, 1, 2, …: older files hold them
            continue
        block = BLOCK.fullmatch(name)
        if block is not None and block[3] in JOINED:
            if block[3] == JOINED[0]:
                parts = [state[name.replace(JOINED[0], other)] for other in JOINED]
                found[f"{_block(block)}.attn.in_proj_{block[4]}"] = torch.cat(parts)
        elif block is not None:
            found[f"{_block(block)}.{PARTS[block[3]]}.{block[4]}"] = value
        elif name in NAMES:
            new = NAMES[name]
            found[new] = value.T.contiguous() if new in TRANSPOSED else value
        else:
            part, _, leaf = name.rpartition(".")
            found[f"{PARTS[part]}.{leaf}"] = value
    return found


def _block(block: re.Match[str]) -> str:
    tower = "visual.transformer" if block[1] == "vision" else "transformer"
    return f"{tower}.resblocks.{block[2]}"
