"""One optimiser step over its micro-batches, with the value and gradient of one large batch."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from torch import Tensor, nn

from skinframe.errors import NonFiniteError
from skinframe.model.module import Model
from skinframe.model.objective import Objective
from skinframe.train.gradient_cache import ONE_PROCESS, Coupled, Processes, coupled_terms, joined_rows


@dataclass
class StepRecord:
    """What one step did: weights as applied, the balancer's factors in them, raw parts, total, gradient norms.

    `part_norms` are of the weighted parts over all trained weights, `shared_norms` of the raw parts over the weights
    that several terms reach. `rows` are the signals that stateful terms read, over all samples of the step.
    """

    weights: dict[str, float]
    factors: dict[str, float] = field(default_factory=dict)
    parts: dict[str, float] = field(default_factory=dict)
    part_norms: dict[str, float] = field(default_factory=dict)
    shared_norms: dict[str, float] = field(default_factory=dict)
    total: float = 0.0
    norm: float = 0.0
    rows: dict[str, Tensor] = field(default_factory=dict)

    @property
    def part_shares(self) -> dict[str, float]:
        """Return each norm as a share of their sum; 0 where every norm is."""
        total = sum(self.part_norms.values())
        return {name: norm / total if total else 0.0 for name, norm in self.part_norms.items()}


def make_accelerator(precision: Literal["fp32", "bf16"]) -> Accelerator:
    """Return accelerate's device placement and autocast at a precision, whatever `ACCELERATE_MIXED_PRECISION` says.

    Gradients are accumulated, summed and clipped by the step itself: no `ACCELERATE_*` variable can change them.
    """
    AcceleratorState._reset_state(True)  # it is global to the process, and a second run may want another precision
    return Accelerator(mixed_precision="bf16" if precision == "bf16" else "no")


def run_step(
    accelerator: Accelerator,
    model: Model,
    objective: Objective,
    batches: Sequence[Mapping[str, Tensor]],
    ids: Sequence[Sequence[str]],
    epoch: float,
    seeds: Sequence[int],
    norms: bool,
    gather: bool = True,
    processes: Processes = ONE_PROCESS,
) -> StepRecord:
    """Accumulate gradients over `batches`. `epoch` is fractional; `seeds` make each micro-batch's dropout its own.

    The step owns the reduction: the terms are counted over all micro-batches before the first forward pass, and each
    per-sample term of a micro-batch weighs n_micro / n_step, n counted by the signal that the term normalises by. With
    `gather`, a term that couples samples is computed once, on the whole step; without, on each micro-batch. The trained
    gradients are summed over processes once, after the last micro-batch. State of terms and balancer is left alone.
    Raises NonFiniteError naming the term and the samples.
    """
    record = StepRecord(objective.weights(epoch), objective.factors())
    counts = [objective.counts(batch) for batch in batches]
    totals = processes.totals({name: sum(count[name] for count in counts) for name in record.weights})
    parameters = [parameter for _, parameter in model.trained_parameters()]
    apart = TermGradients(parameters) if norms else None
    coupled = Coupled({}, [{} for _ in batches], {})
    if gather and (len(batches) > 1 or processes.count > 1):
        coupled = coupled_terms(accelerator, model, objective, batches, seeds, record.weights)
        _check(coupled.values, [name for names in ids for name in names])
        record.parts |= {name: float(value) for name, value in coupled.values.items()}
    single = frozenset(record.weights) - frozenset(coupled.values)
    kept: list[dict[str, Tensor]] = []
    for position, (batch, names, count, seed) in enumerate(zip(batches, ids, counts, seeds, strict=True)):
        torch.manual_seed(seed)
        with accelerator.autocast():
            signals = model(batch)
        parts = objective.parts(signals, record.weights, only=single)
        scale = {name: count[name] / totals[name] if totals[name] else 0.0 for name in parts}
        _check(parts, names)
        pulls = coupled.pulls(position, signals)
        values, scale = parts | pulls, scale | dict.fromkeys(pulls, 1.0)
        if apart is not None:
            apart.add(values, scale)
        _backward([values[name].float() * (record.weights[name] * scale[name]) for name in values])
        for name, part in parts.items():
            record.parts[name] = record.parts.get(name, 0.0) + float(part.detach()) * scale[name]
        kept.append({full: signals[full].detach() for full in objective.remembered(parts)})
    processes.sum_gradients(parameters)
    record.rows = coupled.rows | joined_rows(kept, objective.remembered(single))
    record.total = sum(record.weights[name] * value for name, value in record.parts.items())
    if apart is not None:
        record.part_norms = {name: abs(record.weights[name]) * norm for name, norm in apart.norms().items()}
        record.shared_norms = apart.shared_norms()
    return record


def _backward(scaled: Sequence[Tensor]) -> None:
    """Add the gradient of the sum; nothing where no term of this stage reaches a trained weight."""
    if any(value.requires_grad for value in scaled):
        torch.autograd.backward(torch.stack(list(scaled)).sum())


def _check(parts: Mapping[str, Tensor], ids: Sequence[str]) -> None:
    for name, part in parts.items():
        if not bool(torch.isfinite(part.detach())):
            shown = ", ".join(ids[:8]) + (f" and {len(ids) - 8} more" if len(ids) > 8 else "")
            raise NonFiniteError(
                f"losses.{name}: is {float(part.detach())} on samples {shown};"
                " look at these samples, or lower train.lr; the last checkpoint is untouched"
            )


def seed_everything(seed: int) -> None:
    """Seed the global generators of Python, NumPy and torch, which a plugin may draw from: a resume saves none."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


class TermGradients:
    """Sums each term's own gradient over the micro-batches of a step, one copy of the trained weights a term."""

    def __init__(self, parameters: Sequence[nn.Parameter]) -> None:
        self.parameters = list(parameters)
        self.sums: dict[str, list[Tensor | None]] = {}

    def add(self, values: Mapping[str, Tensor], scales: Mapping[str, float]) -> None:
        """Add scales[name] · ∂values[name]/∂θ. The graphs are kept for the backward pass that follows."""
        for name, value in values.items():
            own = self.sums.setdefault(name, [None] * len(self.parameters))
            if not value.requires_grad:
                continue
            gradients = torch.autograd.grad(value, self.parameters, retain_graph=True, allow_unused=True)
            for place, gradient in enumerate(gradients):
                if gradient is not None:
                    scaled, before = gradient * scales[name], own[place]
                    own[place] = scaled if before is None else before + scaled

    def norms(self) -> dict[str, float]:
        """Return ‖∇_θ L_i‖ of each term over all trained weights θ."""
        return {name: _norm(own) for name, own in self.sums.items()}

    def shared_norms(self) -> dict[str, float]:
        """Return ‖∇_W L_i‖ of each term over the weights W that two terms or more reach; 0 where none are."""
        reached = [sum(own[place] is not None for own in self.sums.values()) for place in range(len(self.parameters))]
        shared = [place for place, count in enumerate(reached) if count > 1]
        return {name: _norm([own[place] for place in shared]) for name, own in self.sums.items()}


def _norm(gradients: Sequence[Tensor | None]) -> float:
    return math.sqrt(sum(float(g.double().square().sum()) for g in gradients if g is not None))
