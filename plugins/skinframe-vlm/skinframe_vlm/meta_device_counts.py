"""The rows of the plan's module table, counted on the meta device: no weight is read, no memory taken."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from skinframe import ModuleRow, RecipeError
from skinframe.components import Shape
from skinframe.components.base import Role
from skinframe.errors import Problem
from skinframe.printable_text import printable
from skinframe_vlm.config_sizes import NF4_BYTES, pooled_side
from skinframe_vlm.connector import Connector
from skinframe_vlm.lora_adapters import adapted_linears
from skinframe_vlm.model_family import Family
from skinframe_vlm.reasoner_options import ReasonerOptions

PROMPT_TOKENS = 64  # typical length of question and chat template; image tokens are counted exactly
WIDTH = {"fp32": 4, "bf16": 2}


def skeleton(family: Family, architecture: Mapping[str, Any]) -> Any:
    """Return the whole model on the meta device."""
    config_class, model_class = family.classes()
    try:
        with torch.device("meta"):
            return model_class(config_class(**architecture))
    except Exception as error:  # transformers checks options in many ways
        first = next(iter(str(error).splitlines()), type(error).__name__)
        what = f"config.json cannot be used ({printable(first)[:200]}); download the checkpoint's files again"
        raise RecipeError("reasoner", [Problem(family.title, what)]) from error


def forward_flops(weights: int, tokens: int) -> float:
    """Return the FLOPs of one forward pass: a multiply and an add for each weight of a linear layer and each token.

    Attention scores are left out: under 2 % at the few hundred tokens of a sample.
    """
    return 2.0 * weights * tokens


def training_flops(weights: int, tokens: int, *, trained: bool) -> float:
    """Return the FLOPs of forward and backward: a frozen weight passes the gradient on, a trained one has its own."""
    return forward_flops(weights, tokens) * (3 if trained else 2)


def tower_row(family: Family, architecture: Mapping[str, Any], *, tokens: int, precision: str) -> ModuleRow:
    """Return the row of the model's own eyes for an image of `tokens` tokens; FLOPs are of one forward pass."""
    model = skeleton(family, architecture)
    total = sum(_total(model.get_submodule(part).parameters()) for part in family.eyes)
    mergers = sum(_total(model.get_submodule(part).parameters()) for part in family.mergers)
    patches = tokens * family.merge(architecture) ** 2
    flops = forward_flops(total - mergers, patches) + forward_flops(mergers, tokens)
    return _row("vision tower", "frozen", total, total * WIDTH[precision], flops)


def reasoner_rows(
    family: Family,
    architecture: Mapping[str, Any],
    options: ReasonerOptions,
    image_shapes: Sequence[Shape],
    precision: str,
) -> list[ModuleRow]:
    """Return the rows of language model, LM head, adapters and connector; `image_shapes` as the reasoner reads them.

    FLOPs are of a training step, forward and backward; the LM head reads a few positions only and counts none.
    """
    model = skeleton(family, architecture)
    language, head = model.get_submodule(family.language), model.get_output_embeddings()
    stored = WIDTH[precision]  # the base is loaded at the run's precision, whatever the files hold
    pattern = adapted_linears(family)
    linears = [m for name, m in model.named_modules() if re.fullmatch(pattern, name)]
    inner = sum(m.weight.numel() for m in linears)
    embedding = language.get_input_embeddings().weight.numel()
    rest = _total(language.parameters()) - inner - embedding
    adapters = options.lora.r * sum(m.in_features + m.out_features for m in linears)
    foreign = 0 if options.vision == "native" else pooled_side(image_shapes[0][0], options.pool) ** 2
    tokens = PROMPT_TOKENS + sum(shape[0] for shape in image_shapes)
    if foreign:
        tokens += foreign - image_shapes[0][0]
    tied = model.config.tie_word_embeddings
    scores = 0 if tied else head.weight.numel()
    nf4 = options.quantize == "nf4"
    rows = [
        _row("language model: linear layers", "nf4" if nf4 else "frozen", inner,
             inner * NF4_BYTES if nf4 else inner * stored, training_flops(inner, tokens, trained=False),
             per_token=True),
        _row("language model: embedding", "frozen", embedding, embedding * stored),
        _row("language model: norms and biases", "frozen", rest, rest * stored),
        _row("LM head (tied to the embedding)" if tied else "LM head", "frozen", scores, scores * stored),
        _row("LoRA adapters", "lora", adapters, adapters * 4, training_flops(adapters, tokens, trained=True)),
    ]  # fmt: skip
    if foreign:
        rows.append(_connector_row(image_shapes[0][1], int(language.config.hidden_size), foreign))
    return rows


def _connector_row(V: int, H: int, tokens: int) -> ModuleRow:
    with torch.device("meta"):
        total = _total(Connector(V, H, dropout=0.0).parameters())
    return _row("connector", "trained", total, total * 4, training_flops(total, tokens, trained=True))


def _row(
    name: str, role: Role, parameters: int, size: float, flops: float = 0.0, *, per_token: bool = False
) -> ModuleRow:
    return ModuleRow(
        name=name, role=role, parameters=parameters, bytes=round(size), flops_per_sample=flops, per_token=per_token
    )


def _total(parameters: Iterable[nn.Parameter]) -> int:
    return sum(parameter.numel() for parameter in parameters)
