"""What every term shares: precision, masking and the reductions over samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from skinframe import upcast as upcast
from skinframe.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

Reduction = Literal["none", "mean", "weighted_mean", "sum"]
REDUCTIONS: tuple[Reduction, ...] = ("none", "mean", "weighted_mean", "sum")


def none_masked(labels: Tensor) -> bool:
    """Say whether there are labels and none is negative: then a term may take torch's own fused reduction."""
    return labels.numel() > 0 and labels.min().item() >= 0


def blank(values: Tensor, valid: Tensor) -> Tensor:
    """Return `values` [B, ...] with zeros where `valid` [B] is false; their gradient is exactly zero, even from NaN."""
    return torch.where(valid.reshape(-1, *[1] * (values.ndim - 1)), values, values.new_zeros(()))


def reduce_all(values: Tensor, weights: Tensor | None, reduction: Reduction) -> Tensor:
    """Return what `reduce` gives where every one of at least one sample is valid, with fewer operations."""
    _check(reduction)
    weighted = values if weights is None else values * weights.to(values.dtype)
    if reduction == "none":
        return weighted
    if reduction == "sum":
        return weighted.sum()
    if weights is None or reduction == "mean":
        return weighted.mean()
    return weighted.sum() / positive_total(weights.to(values.dtype))


def reduce(values: Tensor, valid: Tensor, weights: Tensor | None, reduction: Reduction) -> Tensor:
    """Reduce per-sample `values` [B] over the samples where `valid` [B]; no valid sample gives 0, not NaN.

    `weights` [B] multiply the values. `mean` divides by the number of valid samples, `weighted_mean` by the sum of
    their weights (torch's own convention for class weights): the two differ, so they have different names. Raises
    ValueError for any other word.
    """
    _check(reduction)
    zero = values.new_zeros(())
    scale = torch.ones_like(values) if weights is None else weights.to(values.dtype)
    values, scale = torch.where(valid, values * scale, zero), torch.where(valid, scale, zero)
    if reduction == "none":
        return values
    if reduction == "sum":
        return values.sum()
    if reduction == "mean":
        return values.sum() / valid.sum().clamp(min=1)
    return values.sum() / positive_total(scale)


def _check(reduction: str) -> None:
    if reduction not in REDUCTIONS:
        raise ValueError(f"reduction must be one of {', '.join(REDUCTIONS)}, got {reduction!r}")


def positive_total(weights: Tensor) -> Tensor:
    """Return Σ weights, or 1 where that is 0."""
    total = weights.sum()
    return torch.where(total > 0, total, torch.ones_like(total))
