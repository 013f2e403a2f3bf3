"""The rows of the plan's module table, counted on the meta device: no weight is read, no memory taken."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

from skinframe import ModuleRow
from skinframe.components import Shape
from skinframe_qwen._connector import Connector
from skinframe_qwen.sizes import LORA_TARGETS, NF4_BYTES, pooled_side

if TYPE_CHECKING:
    from skinframe_qwen.reasoner import Qwen25VL

PROMPT_TOKENS = 64  # typical length of question and chat template; image tokens are counted exactly
WIDTH = {"fp32": 4, "bf16": 2}


def skeleton(architecture: Mapping[str, Any]) -> Any:
    """Return the whole model on the meta device."""
    with torch.device("meta"):
        return Qwen2_5_VLForConditionalGeneration(Qwen2_5_VLConfig(**architecture))


def forward_flops(weights: int, tokens: int) -> float:
    """Return the FLOPs of one forward pass: a multiply and an add for each weight of a linear and each token.

    Attention scores are left out: under 2 % at the few hundred tokens of a sample.
    """
    return 2.0 * weights * tokens


def training_flops(weights: int, tokens: int, *, trained: bool) -> float:
    """Return the FLOPs of forward and backward: a frozen weight passes the gradient on, a trained one has its own."""
    return forward_flops(weights, tokens) * (3 if trained else 2)


def tower_row(architecture: Mapping[str, Any], *, tokens: int, precision: str) -> ModuleRow:
    """Return the row of Qwen's own vision tower for an image of `tokens` merged tokens; FLOPs are of one forward."""
    visual = skeleton(architecture).model.visual
    total = _total(visual.parameters())
    merger = _total(visual.merger.parameters())
    patches = tokens * visual.spatial_merge_unit
    flops = forward_flops(total - merger, patches) + forward_flops(merger, tokens)
    return _row("vision tower", "frozen", total, total * WIDTH[precision], flops)


def reasoner_rows(
    architecture: Mapping[str, Any], config: Qwen25VL.Config, image_shapes: Sequence[Shape], precision: str
) -> list[ModuleRow]:
    """Return the rows of language model, LM head, adapters and connector; `image_shapes` as the reasoner reads them.

    FLOPs are of a training step, forward and backward; the LM head reads a few positions only and counts none.
    """
    model = skeleton(architecture)
    language, head = model.model.language_model, model.lm_head
    stored = WIDTH[precision]  # the base is loaded at the run's precision, whatever the files hold
    linears = [m for name, m in model.named_modules() if re.fullmatch(LORA_TARGETS, name)]
    inner = sum(m.weight.numel() for m in linears)
    embedding = language.embed_tokens.weight.numel()
    rest = _total(language.parameters()) - inner - embedding
    adapters = config.lora.r * sum(m.in_features + m.out_features for m in linears)
    tokens = PROMPT_TOKENS + _image_tokens(config, image_shapes)
    tied = model.config.tie_word_embeddings
    scores = 0 if tied else head.weight.numel()
    nf4 = config.quantize == "nf4"
    rows = [
        _row("language model: linear layers", "nf4" if nf4 else "frozen", inner,
             inner * NF4_BYTES if nf4 else inner * stored, training_flops(inner, tokens, trained=False),
             per_token=True),
        _row("language model: embedding", "frozen", embedding, embedding * stored),
        _row("language model: norms and biases", "frozen", rest, rest * stored),
        _row("LM head (tied to the embedding)" if tied else "LM head", "frozen", scores, scores * stored),
        _row("LoRA adapters", "lora", adapters, adapters * 4, training_flops(adapters, tokens, trained=True)),
    ]  # fmt: skip
    if config.vision != "native":
        rows.append(_connector_row(image_shapes[0][1], int(language.config.hidden_size), config, image_shapes))
    return rows


def _connector_row(V: int, H: int, config: Qwen25VL.Config, image_shapes: Sequence[Shape]) -> ModuleRow:
    with torch.device("meta"):
        total = _total(Connector(V, H, dropout=0.0).parameters())
    flops = training_flops(total, _encoder_tokens(config, image_shapes), trained=True)
    return _row("connector", "trained", total, total * 4, flops)


def _image_tokens(config: Qwen25VL.Config, image_shapes: Sequence[Shape]) -> int:
    if config.vision == "native":
        return image_shapes[0][0]
    return _encoder_tokens(config, image_shapes) + sum(shape[0] for shape in image_shapes[1:])


def _encoder_tokens(config: Qwen25VL.Config, image_shapes: Sequence[Shape]) -> int:
    return pooled_side(image_shapes[0][0], config.pool) ** 2


def _row(
    name: str, role: Any, parameters: int, size: float, flops: float = 0.0, *, per_token: bool = False
) -> ModuleRow:
    return ModuleRow(
        name=name, role=role, parameters=parameters, bytes=round(size), flops_per_sample=flops, per_token=per_token
    )


def _total(parameters: Any) -> int:
    return sum(parameter.numel() for parameter in parameters if isinstance(parameter, nn.Parameter))
