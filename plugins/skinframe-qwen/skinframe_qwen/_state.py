"""What a checkpoint holds of the reasoner: adapters and connector in float32, under names that stay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from skinframe_qwen._lora import adapters


def read(base: nn.Module, connector: nn.Module | None) -> dict[str, Tensor]:
    """Return copies on the CPU: `lora.layers.0.self_attn.q_proj.A`, `connector.up.weight`."""
    return {name: parameter.detach().cpu().clone() for name, parameter in _trained(base, connector)}


def write(base: nn.Module, connector: nn.Module | None, state: Mapping[str, Tensor]) -> None:
    """Copy `state` into the parameters. Raises ValueError naming missing, unexpected or misshapen keys, and then
    nothing has been changed."""
    own = dict(_trained(base, connector))
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


def _trained(base: nn.Module, connector: nn.Module | None) -> Iterator[tuple[str, nn.Parameter]]:
    for name, parameter in adapters(base):
        yield f"lora.{name}", parameter
    if connector is not None:
        for name, parameter in connector.named_parameters():
            yield f"connector.{name}", parameter
