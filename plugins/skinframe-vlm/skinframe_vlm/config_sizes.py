"""Sizes in closed form from config.json, and the memory of the GPU: what must be known before torch is imported."""

from __future__ import annotations

import ctypes
import math
import sys
from collections.abc import Mapping
from typing import Any

NF4_BYTES = 0.5 + 1 / 64 + 4 / (64 * 256)  # 4 bits; one 8-bit scale a block of 64; one fp32 scale a 256 of these
TRAINED_BYTES = 16  # fp32 weight, gradient and the two moments of Adam


def linear_shapes(text: Mapping[str, Any]) -> list[tuple[int, int]]:
    """Return (in, out) of every linear layer of all decoder layers, from the language model's options."""
    H, inner, heads = int(text["hidden_size"]), int(text["intermediate_size"]), int(text["num_attention_heads"])
    width = int(text.get("head_dim") or H // heads)
    queries, keys = heads * width, int(text.get("num_key_value_heads") or heads) * width
    layer = [(H, queries), (H, keys), (H, keys), (queries, H), (H, inner), (H, inner), (inner, H)]
    return layer * int(text["num_hidden_layers"])


def parameters(text: Mapping[str, Any]) -> int:
    """Return the weights of the language model's linear layers and its embedding (norms and biases left out)."""
    embedding = int(text["vocab_size"]) * int(text["hidden_size"])
    return sum(inputs * outputs for inputs, outputs in linear_shapes(text)) + embedding


def least_memory(text: Mapping[str, Any], *, tied: bool, quantize: str, r: int) -> int:
    """Return the bytes of weights, adapters and optimiser without any activation: a lower bound."""
    tables = int(text["vocab_size"]) * int(text["hidden_size"]) * (1 if tied else 2)
    shapes = linear_shapes(text)
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


def native_grid(P: int) -> tuple[int, int]:
    """Return rows and columns of P tokens of a model's own tower: a square where P is one, otherwise one row."""
    side = math.isqrt(P)
    return (side, side) if side * side == P else (1, P)


def cuda_memory() -> int:
    """Return the memory in bytes of the largest CUDA GPU that the driver reports; 0 where there is none."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        if driver.cuInit(0) != 0:
            return 0
        count = ctypes.c_int()
        if driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
            return 0
        return max((_memory_of(driver, index) for index in range(count.value)), default=0)
    except (OSError, AttributeError):  # no driver, or one too old to have these calls
        return 0


def _memory_of(driver: ctypes.CDLL, index: int) -> int:
    device, total = ctypes.c_int(), ctypes.c_size_t()
    if driver.cuDeviceGet(ctypes.byref(device), index) != 0:
        return 0
    return total.value if driver.cuDeviceTotalMem_v2(ctypes.byref(total), device) == 0 else 0
