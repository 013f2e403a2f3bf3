"""LoRA adapters on the decoder's linear layers, drawn from a seed alone, and the trained state of a checkpoint."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from skinframe.seeding import derive
from skinframe_vlm.load_weights import quiet_import
from skinframe_vlm.model_family import Family
from skinframe_vlm.reasoner_options import Lora

with quiet_import():
    from peft import LoraConfig, inject_adapter_in_model
    from peft.tuners.lora import LoraLayer

ADAPTER = "default"


def adapted_linears(family: Family) -> str:
    """Return a pattern of the full names of the linear layers that get adapters and 4-bit weights."""
    return rf"{re.escape(family.language)}\.{family.adapted}"


def add_lora(model: nn.Module, family: Family, options: Lora, seed: int) -> None:
    """Freeze `model`, put adapters on its language model in place, and draw them from `seed`.

    A is Kaiming-uniform from a generator of its own, seeded by layer name; B is zero, so the model starts unchanged.
    """
    model.requires_grad_(False)
    wanted = LoraConfig(
        r=options.r,
        lora_alpha=options.alpha,
        lora_dropout=options.dropout,
        target_modules=adapted_linears(family),
        bias="none",
    )
    inject_adapter_in_model(wanted, model, adapter_name=ADAPTER)
    for name, parameter in adapters(model, family):
        parameter.data = _fresh(name, parameter, seed).to(parameter.device)
        parameter.requires_grad_(True)


def adapters(model: nn.Module, family: Family) -> Iterator[tuple[str, nn.Parameter]]:
    """Yield (stable name, parameter), e.g. `layers.0.self_attn.q_proj.A`, in module order."""
    for name, module in model.named_modules():
        if isinstance(module, LoraLayer):
            short = name.removeprefix(f"{family.language}.")
            yield f"{short}.A", module.lora_A[ADAPTER].weight
            yield f"{short}.B", module.lora_B[ADAPTER].weight


def trained(model: nn.Module, family: Family, connector: nn.Module | None) -> dict[str, nn.Parameter]:
    """Return what is trained by stable name: `lora.layers.0.self_attn.q_proj.A`, `connector.up.weight`."""
    named = {f"lora.{name}": parameter for name, parameter in adapters(model, family)}
    if connector is not None:
        named |= {f"connector.{name}": parameter for name, parameter in connector.named_parameters()}
    return named


def load_trained(own: Mapping[str, nn.Parameter], state: Mapping[str, Tensor]) -> None:
    """Copy `state` into the parameters. Raises ValueError naming missing, unexpected or misshapen keys; in that case
    no parameter has changed."""
    problems = [
        *(f"missing {name}" for name in sorted(own.keys() - state.keys())),
        *(f"unexpected {name}" for name in sorted(state.keys() - own.keys())),
        *(
            f"{name} is {tuple(state[name].shape)}, not {tuple(own[name].shape)}"
            for name in sorted(own.keys() & state.keys())
            if state[name].shape != own[name].shape
        ),
    ]
    if problems:
        raise ValueError(f"reasoner state does not fit: {', '.join(problems)}")
    with torch.no_grad():
        for name, parameter in own.items():
            parameter.copy_(state[name])


def _fresh(name: str, parameter: Tensor, seed: int) -> Tensor:
    if name.endswith(".B"):
        return torch.zeros(parameter.shape)
    generator = torch.Generator().manual_seed(derive(seed, name))
    return nn.init.kaiming_uniform_(torch.empty(parameter.shape), a=5**0.5, generator=generator)
