"""The one rule of precision that every loss keeps: compute in float32 at least."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def upcast(values: Tensor) -> Tensor:
    """Return `values` in float32 at least; float64 stays, so that gradients can be checked."""
    return values.float() if values.element_size() < 4 else values
