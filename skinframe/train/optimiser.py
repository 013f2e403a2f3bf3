"""AdamW in two groups and a learning rate that is a function of the step, so that a resume needs no scheduler."""

from __future__ import annotations

import math

import torch

from skinframe.model.assemble import Assembled
from skinframe.recipe.schema import Train


def make_optimiser(model: Assembled, train: Train) -> torch.optim.AdamW:
    """Return AdamW (Loshchilov & Hutter, arXiv:1711.05101), each part at its own rate.

    Norms, biases and scalars are not decayed.
    """
    groups: dict[tuple[bool, float, bool], list[torch.nn.Parameter]] = {}
    rates = train.rates
    for name, parameter in model.trained_parameters():
        part = "adapter" if "lora_" in name else name.partition(".")[0]
        groups.setdefault((part == "adapter", rates[part], parameter.ndim > 1), []).append(parameter)
    options = []
    for (_, rate, decayed), parameters in sorted(groups.items()):
        decay = train.weight_decay if decayed else 0.0
        options.append({"params": parameters, "lr": rate, "base_lr": rate, "weight_decay": decay})
    return torch.optim.AdamW(options, lr=train.lr, foreach=False)


def set_rate(optimiser: torch.optim.Optimizer, step: int, total: int, warmup: float) -> float:
    """Set every group to its base rate times warm-up then cosine; return the factor."""
    ramp = max(1, round(warmup * total))
    cosine = 0.5 * (1 + math.cos(math.pi * (step - ramp) / max(1, total - ramp)))
    factor = (step + 1) / ramp if step < ramp else cosine
    for group in optimiser.param_groups:
        group["lr"] = group["base_lr"] * factor
    return factor
