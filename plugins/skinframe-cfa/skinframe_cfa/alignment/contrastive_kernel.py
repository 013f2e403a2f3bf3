"""Multi-positive contrastive loss in one differentiable operation. Imported only when such a term is computed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

BLOCK = 2**18  # similarities looked at together: as many as stay in a processor's cache
OUT = -1e30  # the score of a pair that leaves the denominator; an infinity would be NaN beside a factor of 0


class BothDirections(torch.autograd.Function):
    """Σ_i −(1/|P_i|) Σ_{p∈P_i} log softmax(S_i·)_p and the same of the columns, with the gradient by S written out.

    similarity S [B, B], positives [B, B] bool, symmetric, with a true diagonal; ignored [B, B] bool, symmetric, or
    None: pairs that leave the denominators. The gradient is softmax(S_i·)_j + softmax(S_·j)_i − 1[j ∈ P_i] (1/|P_i| +
    1/|P_j|). It goes through S by blocks and keeps no table beside it, where automatic differentiation keeps six. It
    can be differentiated once.
    """

    @staticmethod
    def forward(ctx: Any, similarity: Tensor, positives: Tensor, ignored: Tensor | None) -> Tensor:
        total, shares = similarity.new_zeros(()), []
        for part in _blocks(len(similarity)):
            pairs = positives[part].to(similarity.dtype)
            share = pairs.sum(1).reciprocal_()
            rows, columns = _both(similarity, ignored, part)
            matched = rows.log_softmax(1).mul_(pairs).sum(1).add_(columns.log_softmax(0).mul_(pairs.T).sum(0))
            total = total - matched.dot(share)
            shares.append(share)
        ctx.save_for_backward(similarity, positives, ignored, *shares)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        similarity, positives, ignored, *shares = ctx.saved_tensors
        share = shares[0] if len(shares) == 1 else torch.cat([similarity.new_zeros(0), *shares])
        slope = torch.zeros_like(similarity)
        for part in _blocks(len(similarity)):
            rows, columns = _both(similarity, ignored, part)
            pull = (share[part].unsqueeze(1) + share).mul_(positives[part])
            slope[part].add_(rows.softmax(1)).sub_(pull)
            slope[:, part].add_(columns.softmax(0))
        return slope.mul_(gradient), None, None


def _blocks(size: int) -> Iterator[slice]:
    width = max(1, BLOCK // max(size, 1))
    return (slice(start, start + width) for start in range(0, size, width))


def _both(similarity: Tensor, ignored: Tensor | None, part: slice) -> tuple[Tensor, Tensor]:
    """Return the rows [b, B] and the columns [B, b] of one block."""
    rows, columns = similarity[part], similarity[:, part]
    if ignored is None:
        return rows, columns
    return rows.masked_fill(ignored[part], OUT), columns.masked_fill(ignored[part].T, OUT)
