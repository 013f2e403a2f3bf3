"""One optimiser step over its micro-batches: the same value and gradient as one large batch for additive terms."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from accelerate import Accelerator
from torch import Tensor

from skinframe.errors import NonFiniteError
from skinframe.model.assemble import Assembled
from skinframe.model.objective import Objective


@dataclass
class StepRecord:
    """What one step did: raw parts, weights, total, gradient norms."""

    weights: dict[str, float]
    parts: dict[str, float] = field(default_factory=dict)
    part_norms: dict[str, float] = field(default_factory=dict)
    total: float = 0.0
    norm: float = 0.0


def run_step(
    accelerator: Accelerator,
    model: Assembled,
    objective: Objective,
    batches: Sequence[Mapping[str, Tensor]],
    ids: Sequence[Sequence[str]],
    epoch: float,
    seeds: Sequence[int],
    norms: bool,
) -> StepRecord:
    """Accumulate gradients over `batches`. `epoch` is fractional; `seeds` make each micro-batch's dropout its own.

    A part's norm over several micro-batches is their weighted mean, an upper bound on that of the step's own gradient.
    Each term of a micro-batch weighs n_micro / n_step, n counted by the signal that the term normalises by.
    Raises NonFiniteError naming the term and the samples.
    """
    record = StepRecord(objective.weights(epoch))
    counts = [objective.counts(batch) for batch in batches]
    totals = {name: sum(count[name] for count in counts) for name in record.weights}
    for batch, names, count, seed in zip(batches, ids, counts, seeds, strict=True):
        torch.manual_seed(seed)
        with accelerator.autocast():
            signals = model(batch)
        parts = objective.parts(signals, record.weights)
        share = {name: count[name] / totals[name] if totals[name] else 0.0 for name in parts}
        _check(parts, names)
        if norms:
            for name, norm in part_norms(model, parts, record.weights).items():
                record.part_norms[name] = record.part_norms.get(name, 0.0) + norm * share[name]
        loss = torch.stack([parts[name].float() * (record.weights[name] * share[name]) for name in parts]).sum()
        accelerator.backward(loss)
        for name, part in parts.items():
            record.parts[name] = record.parts.get(name, 0.0) + float(part.detach()) * share[name]
    record.total = sum(record.weights[name] * value for name, value in record.parts.items())
    return record


def part_norms(model: Assembled, parts: Mapping[str, Tensor], weights: Mapping[str, float]) -> dict[str, float]:
    """Return the gradient norm of each weighted term over all trained parameters."""
    parameters = [parameter for _, parameter in model.trained_parameters()]
    found = {}
    for name, part in parts.items():
        if not part.requires_grad:
            found[name] = 0.0
            continue
        gradients = torch.autograd.grad(part, parameters, retain_graph=True, allow_unused=True)
        square = sum(float(gradient.double().square().sum()) for gradient in gradients if gradient is not None)
        found[name] = weights[name] * math.sqrt(square)
    return found


def _check(parts: Mapping[str, Tensor], ids: Sequence[str]) -> None:
    for name, part in parts.items():
        if not bool(torch.isfinite(part.detach())):
            shown = ", ".join(ids[:8]) + (f" and {len(ids) - 8} more" if len(ids) > 8 else "")
            raise NonFiniteError(
                f"losses.{name}: is {float(part.detach())} on samples {shown};"
                " look at these samples, or lower train.lr; the last checkpoint is untouched"
            )
