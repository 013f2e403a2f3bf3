"""Sizes in closed form from config.json, for what must be known before torch is imported."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from skinframe_qwen.checkpoint import text_facts

NF4_BYTES = 0.5 + 1 / 64 + 4 / (64 * 256)  # 4 bits; one 8-bit scale a block of 64; one fp32 scale a 256 of these
LORA_TARGETS = r"model\.language_model\.layers\.\d+\.(self_attn\.[qkvo]_proj|mlp\.(gate|up|down)_proj)"
TRAINED_BYTES = 16  # fp32 weight, gradient and the two moments of Adam


def linear_shapes(architecture: Mapping[str, Any]) -> list[tuple[int, int]]:
    """Return (in, out) of every linear layer of the language model, all decoder layers."""
    text = text_facts(architecture)
    H, inner = int(text["hidden_size"]), int(text["intermediate_size"])
    keys = H // int(text["num_attention_heads"]) * int(text["num_key_value_heads"])
    layer = [(H, H), (H, keys), (H, keys), (H, H), (H, inner), (H, inner), (inner, H)]
    return layer * int(text["num_hidden_layers"])


def parameters(architecture: Mapping[str, Any]) -> int:
    """Return the weights of the language model's linear layers and its embedding (norms and biases left out)."""
    text = text_facts(architecture)
    embedding = int(text["vocab_size"]) * int(text["hidden_size"])
    return sum(inputs * outputs for inputs, outputs in linear_shapes(architecture)) + embedding


def least_memory(architecture: Mapping[str, Any], quantize: str, r: int) -> int:
    """Return the bytes that weights, adapters and optimiser take, with no activation yet: less cannot work."""
    text = text_facts(architecture)
    tables = int(text["vocab_size"]) * int(text["hidden_size"]) * (1 if architecture.get("tie_word_embeddings") else 2)
    shapes = linear_shapes(architecture)
    linears = sum(inputs * outputs for inputs, outputs in shapes)
    adapters = r * sum(inputs + outputs for inputs, outputs in shapes)
    frozen = linears * (NF4_BYTES if quantize == "nf4" else 2) + tables * 2
    return round(frozen + adapters * TRAINED_BYTES)


def pooled_side(P: int, pool: int | None) -> int:
    """Return the side of the token grid after pooling. Raises ValueError where P is no square that `pool` divides."""
    side = math.isqrt(P)
    if side * side != P:
        raise ValueError(f"{P} image tokens are no square grid")
    if pool is not None and side % pool:
        raise ValueError(f"pool {pool} does not divide the {side} x {side} grid of image tokens")
    return side if pool is None else side // pool
