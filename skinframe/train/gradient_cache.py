"""Exact gradients of batch-coupled losses under accumulation, by gradient caching (a second forward pass).

After GradCache (Gao et al. 2021, arXiv:2101.06983). Pass one runs every micro-batch without a graph and keeps the
signals that coupled terms read. The terms are computed once, on all samples of the step, and give a gradient a signal.
Pass two is the ordinary one: each micro-batch runs again with the same dropout seed, and these gradients enter there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.nn import functional as F

from skinframe.model.module import Model
from skinframe.model.objective import Objective
from skinframe.planning.address import Address

GROWING = ("B", "T")  # dims that count what is in a batch; a signal that leads with another is one for the whole step
MASKED = -100  # fills integer signals of unlike width, as it masks labels

Batches = Sequence[Mapping[str, Tensor]]


class Processes:
    """Where the processes of a run meet in a step. This one is alone: its counts and gradients are the step's.

    Several processes differ in these three members and nowhere else in the step.
    """

    count = 1

    def totals(self, counts: Mapping[str, int]) -> dict[str, int]:
        """Return each count summed over all processes."""
        return dict(counts)

    def total(self, flat: Tensor) -> Tensor:
        """Return a tensor summed over all processes."""
        return flat

    def sum_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Sum the gradients over all processes in one flat tensor; one that a process lacks counts as 0."""
        if self.count == 1:
            return
        given = [p.new_zeros(p.shape) if p.grad is None else p.grad for p in parameters]
        flat = self.total(torch.cat([gradient.flatten() for gradient in given]))
        for parameter, piece in zip(parameters, torch.split(flat, [p.numel() for p in parameters]), strict=True):
            parameter.grad = piece.view_as(parameter)


ONE_PROCESS = Processes()


@dataclass(frozen=True)
class Coupled:
    """Values of the coupled terms on the whole step, and for each micro-batch the gradient of each term by signal.

    `rows` are the joined signals that stateful terms among them read.
    """

    values: dict[str, Tensor]
    gradients: list[dict[str, dict[str, Tensor]]]
    rows: dict[str, Tensor]

    def pulls(self, position: int, signals: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return scalars whose gradient through the micro-batch at `position` is that of each term on the step."""
        sums = {}
        for name, gradients in self.gradients[position].items():
            parts = [(signals[full] * g).sum() for full, g in gradients.items() if signals[full].requires_grad]
            if parts:
                sums[name] = torch.stack([part.float() for part in parts]).sum()
        return sums


def coupled_terms(
    accelerator: Accelerator,
    model: Model,
    objective: Objective,
    batches: Batches,
    seeds: Sequence[int],
    weights: Mapping[str, float],
) -> Coupled:
    """Compute the coupled terms of non-zero weight on all samples of the step, of one micro-batch or of several."""
    terms = [term for term in objective.terms if weights[term.name] != 0 and term.loss.coupling != "per_sample"]
    if not terms:
        return Coupled({}, [{} for _ in batches], {})
    dims: dict[str, str] = {}
    for term in terms:
        dims = {**dims, **term.dims, **dims}  # the first reader's
    kept = []
    for batch, seed in zip(batches, seeds, strict=True):
        torch.manual_seed(seed)
        with torch.no_grad(), accelerator.autocast():
            signals = model(batch)
        kept.append({full: signals[full] for full in dims})
    whole = joined_rows(kept, dims)
    leaves = _leaves(whole, kept[0])
    values = objective.parts({**whole, **leaves}, weights, only=frozenset(term.name for term in terms))
    asked: list[dict[str, dict[str, Tensor]]] = [{} for _ in batches]
    for name, value in values.items():
        for full, gradient in _gradients(value, leaves).items():
            for position, piece in enumerate(split(gradient, [signals[full] for signals in kept], dims[full])):
                if piece is not None:
                    asked[position].setdefault(name, {})[full] = piece
    rows = {full: whole[full] for full in objective.remembered(values)}
    return Coupled({name: value.detach() for name, value in values.items()}, asked, rows)


def joined_rows(kept: Sequence[Mapping[str, Tensor]], dims: Mapping[str, str]) -> dict[str, Tensor]:
    """Return each signal over the whole step, from what each micro-batch has of it."""
    return {full: join([signals[full] for signals in kept], dims[full]) for full in dims if full in kept[0]}


def join(pieces: Sequence[Tensor], dims: str) -> Tensor:
    """Return one signal of the whole step. Unlike widths (token lengths) are filled with 0, integers with −100.

    A signal that does not lead with a growing dim (a learned scale, class counts) is the first micro-batch's.
    """
    if dims.split()[:1] not in ([name] for name in GROWING):
        return pieces[0]
    widths = [max(sizes) for sizes in zip(*(piece.shape[1:] for piece in pieces), strict=True)]
    return torch.cat([_widened(piece, widths) for piece in pieces])


def _widened(piece: Tensor, widths: Sequence[int]) -> Tensor:
    if list(piece.shape[1:]) == list(widths):
        return piece
    gaps = [wide - own for wide, own in zip(widths, piece.shape[1:], strict=True)]
    pad = [amount for gap in reversed(gaps) for amount in (0, gap)]
    return F.pad(piece, pad, value=MASKED if piece.dtype == torch.int64 else 0)


def split(gradient: Tensor, pieces: Sequence[Tensor], dims: str) -> list[Tensor | None]:
    """Return each micro-batch's share of a gradient by a joined signal; a shared signal's goes to the first."""
    if dims.split()[:1] not in ([name] for name in GROWING):
        return [gradient, *[None for _ in pieces[1:]]]
    found: list[Tensor | None] = []
    start = 0
    for piece in pieces:
        rows = gradient[start : start + len(piece)]
        found.append(rows[(slice(None), *(slice(width) for width in piece.shape[1:]))])
        start += len(piece)
    return found


def _leaves(whole: Mapping[str, Tensor], first: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return what a gradient is asked of: a head may give one tensor under two names, and it stays one."""
    made: dict[int, Tensor] = {}
    leaves = {}
    for full, value in whole.items():
        if value.is_floating_point() and not Address.parse(full).is_column:
            leaves[full] = made.setdefault(id(first[full]), value.detach().requires_grad_())
    return leaves


def _gradients(value: Tensor, leaves: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the gradient by each distinct leaf that the term depends on, under the first of its names."""
    if not value.requires_grad:
        return {}
    names = {id(leaf): full for full, leaf in reversed(list(leaves.items()))}
    distinct = [leaves[full] for full in names.values()]
    gradients = torch.autograd.grad(value, distinct, retain_graph=True, allow_unused=True)
    return {full: g for full, g in zip(names.values(), gradients, strict=True) if g is not None}
