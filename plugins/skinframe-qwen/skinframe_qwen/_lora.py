"""Adapters on every linear layer of the language model and nowhere else; drawn from a seed alone, kept in float32."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from skinframe.seeding import derive
from skinframe_qwen._quiet import quiet_import
from skinframe_qwen.reasoner import Lora
from skinframe_qwen.sizes import LORA_TARGETS

with quiet_import():
    from peft import LoraConfig, inject_adapter_in_model
    from peft.tuners.lora import LoraLayer

ADAPTER = "default"


def add_lora(model: nn.Module, options: Lora, seed: int) -> None:
    """Freeze `model`, put adapters on its language model in place, and draw them from `seed`.

    A is Kaiming-uniform from a generator of its own, seeded by layer name; B is zero, so the model starts unchanged.
    """
    model.requires_grad_(False)
    wanted = LoraConfig(
        r=options.r, lora_alpha=options.alpha, lora_dropout=options.dropout, target_modules=LORA_TARGETS, bias="none"
    )
    inject_adapter_in_model(wanted, model, adapter_name=ADAPTER)
    for name, parameter in adapters(model):
        parameter.data = _fresh(name, parameter, seed).to(parameter.device)
        parameter.requires_grad_(True)


def adapters(model: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """Yield (stable name, parameter), e.g. `layers.0.self_attn.q_proj.A`, in module order."""
    for name, module in model.named_modules():
        if isinstance(module, LoraLayer):
            short = name.removeprefix("model.language_model.")
            yield f"{short}.A", module.lora_A[ADAPTER].weight
            yield f"{short}.B", module.lora_B[ADAPTER].weight


def _fresh(name: str, parameter: Tensor, seed: int) -> Tensor:
    if name.endswith(".B"):
        return torch.zeros(parameter.shape)
    generator = torch.Generator().manual_seed(derive(seed, name))
    return nn.init.kaiming_uniform_(torch.empty(parameter.shape), a=5**0.5, generator=generator)
