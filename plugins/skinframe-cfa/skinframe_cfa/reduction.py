"""What every term shares: precision, masking and the reductions over samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from skinframe import upcast as upcast
from skinframe.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

Reduction = Literal["none", "mean", "weighted_mean", "sum"]


def blank(values: Tensor, valid: Tensor) -> Tensor:
    """Return `values` [B, ...] with zeros where `valid` [B] is false; their gradient is exactly zero, even from NaN."""
    return torch.where(valid.reshape(-1, *[1] * (values.ndim - 1)), values, values.new_zeros(()))


def reduce(values: Tensor, valid: Tensor, weights: Tensor | None, reduction: Reduction) -> Tensor:
    """Reduce per-sample `values` [B] over the samples where `valid` [B]; no valid sample gives 0, not NaN.

    `weights` [B] multiply the values. `mean` divides by the number of valid samples, `weighted_mean` by the sum of
    their weights (torch's own convention for class weights): the two differ, so they have different names.
    """
    zero = values.new_zeros(())
    scale = torch.ones_like(values) if weights is None else weights.to(values.dtype)
    values, scale = torch.where(valid, values * scale, zero), torch.where(valid, scale, zero)
    if reduction == "none":
        return values
    if reduction == "sum":
        return values.sum()
    if reduction == "mean":
        return values.sum() / valid.sum().clamp(min=1)
    total = scale.sum()
    return values.sum() / torch.where(total > 0, total, torch.ones_like(total))
