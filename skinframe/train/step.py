"""One optimiser step over its micro-batches: the value and gradient of one large batch, for every term."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from accelerate import Accelerator
from torch import Tensor

from skinframe.errors import NonFiniteError
from skinframe.model.assemble import Assembled
from skinframe.model.objective import Objective
from skinframe.train.gather import NOTHING, coupled_terms
from skinframe.train.gradients import TermGradients


@dataclass
class StepRecord:
    """What one step did: weights as applied, the balancer's factors in them, raw parts, total, gradient norms.

    `part_norms` are of the weighted parts over all trained weights, `shared_norms` of the raw parts over the weights
    that several terms reach.
    """

    weights: dict[str, float]
    factors: dict[str, float] = field(default_factory=dict)
    parts: dict[str, float] = field(default_factory=dict)
    part_norms: dict[str, float] = field(default_factory=dict)
    shared_norms: dict[str, float] = field(default_factory=dict)
    total: float = 0.0
    norm: float = 0.0

    @property
    def part_shares(self) -> dict[str, float]:
        """Return each norm as a share of their sum; 0 where every norm is."""
        total = sum(self.part_norms.values())
        return {name: norm / total if total else 0.0 for name, norm in self.part_norms.items()}


def run_step(
    accelerator: Accelerator,
    model: Assembled,
    objective: Objective,
    batches: Sequence[Mapping[str, Tensor]],
    ids: Sequence[Sequence[str]],
    epoch: float,
    seeds: Sequence[int],
    norms: bool,
    gather: bool = True,
) -> StepRecord:
    """Accumulate gradients over `batches`. `epoch` is fractional; `seeds` make each micro-batch's dropout its own.

    Each per-sample term of a micro-batch weighs n_micro / n_step, n counted by the signal that the term normalises by.
    With `gather`, a term that couples samples is computed once, on the whole step; without, on each micro-batch.
    Raises NonFiniteError naming the term and the samples.
    """
    record = StepRecord(objective.weights(epoch), objective.factors())
    counts = [objective.counts(batch) for batch in batches]
    totals = {name: sum(count[name] for count in counts) for name in record.weights}
    apart = TermGradients([parameter for _, parameter in model.trained_parameters()]) if norms else None
    coupled = NOTHING
    if gather and len(batches) > 1:
        coupled = coupled_terms(accelerator, model, objective, batches, seeds, record.weights)
        _check(coupled.values, [name for names in ids for name in names])
        record.parts |= {name: float(value) for name, value in coupled.values.items()}
    single = frozenset(record.weights) - frozenset(coupled.values)
    for position, (batch, names, count, seed) in enumerate(zip(batches, ids, counts, seeds, strict=True)):
        torch.manual_seed(seed)
        with accelerator.autocast():
            signals = model(batch)
        parts = objective.parts(signals, record.weights, only=single)
        scale = {name: count[name] / totals[name] if totals[name] else 0.0 for name in parts}
        _check(parts, names)
        pulls = coupled.pulls(position, signals) if coupled.values else {}
        values, scale = parts | pulls, scale | dict.fromkeys(pulls, 1.0)
        if apart is not None:
            apart.add(values, scale)
        if values:
            scaled = [values[name].float() * (record.weights[name] * scale[name]) for name in values]
            accelerator.backward(torch.stack(scaled).sum())
        for name, part in parts.items():
            record.parts[name] = record.parts.get(name, 0.0) + float(part.detach()) * scale[name]
    record.total = sum(record.weights[name] * value for name, value in record.parts.items())
    if apart is not None:
        record.part_norms = {name: abs(record.weights[name]) * norm for name, norm in apart.norms().items()}
        record.shared_norms = apart.shared_norms()
    return record


def _check(parts: Mapping[str, Tensor], ids: Sequence[str]) -> None:
    for name, part in parts.items():
        if not bool(torch.isfinite(part.detach())):
            shown = ", ".join(ids[:8]) + (f" and {len(ids) - 8} more" if len(ids) > 8 else "")
            raise NonFiniteError(
                f"losses.{name}: is {float(part.detach())} on samples {shown};"
                " look at these samples, or lower train.lr; the last checkpoint is untouched"
            )
