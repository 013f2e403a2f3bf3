"""Trained parts of a model, AdamW over them, and the learning-rate schedule."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn

from skinframe.errors import Problem, RecipeError, did_you_mean
from skinframe.model.module import Model
from skinframe.recipe.recipe_schema import Train

Named = Sequence[tuple[str, nn.Parameter]]


def part_of(name: str) -> str:
    """Return the part that a parameter belongs to, such as `heads.classify` or `reasoner.adapter`."""
    return "reasoner.adapter" if "lora_" in name else ".".join(name.split(".")[:2])


def part_sizes(parameters: Named) -> dict[str, int]:
    """Return how many parameters each part has."""
    sizes: dict[str, int] = {}
    for name, parameter in parameters:
        sizes[part_of(name)] = sizes.get(part_of(name), 0) + parameter.numel()
    return sizes


def train_only(parameters: Named, parts: Sequence[str]) -> None:
    """Freeze the parameters outside `parts` and train those inside; no part means all of them.

    Raises RecipeError naming a part that has no parameter in this model.
    """
    known = {part_of(name) for name, _ in parameters}
    for part in parts:
        if not any(_inside(own, part) for own in known):
            what = f"'{part}' has no trained parameter in this model{did_you_mean(part, known)}"
            raise RecipeError("recipe", [Problem("stages", what)])
    for name, parameter in parameters:
        parameter.requires_grad_(not parts or any(_inside(part_of(name), part) for part in parts))


def _inside(own: str, part: str) -> bool:
    return own == part or own.startswith(f"{part}.")


def make_optimiser(model: Model, train: Train) -> torch.optim.AdamW:
    """Return AdamW (Loshchilov & Hutter, arXiv:1711.05101) over the trained parameters, each part at its own rate.

    Norms, biases and scalars are not decayed.
    """
    groups: dict[tuple[bool, float, bool], list[nn.Parameter]] = {}
    rates = train.rates
    for name, parameter in model.trained_parameters():
        kind = "adapter" if part_of(name) == "reasoner.adapter" else name.partition(".")[0]
        groups.setdefault((kind == "adapter", rates[kind], parameter.ndim > 1), []).append(parameter)
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
