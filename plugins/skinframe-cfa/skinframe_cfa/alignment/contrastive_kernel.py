"""Multi-positive contrastive loss in one differentiable operation. Imported only when such a term is computed."""

from __future__ import annotations

from collections.abc import Sequence
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
            rows, columns, pairs = _block(similarity, positives, ignored, part)
            pairs = pairs.to(similarity.dtype)
            share = pairs.sum(1).reciprocal_()
            matched = rows.log_softmax(1).mul_(pairs).sum(1).add_(columns.log_softmax(0).mul_(pairs.T).sum(0))
            total = total - matched.dot(share)
            shares.append(share)
        ctx.save_for_backward(similarity, positives, ignored, *shares)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        similarity, positives, ignored, *shares = ctx.saved_tensors
        if len(shares) == 1:
            rows, columns, pairs = _block(similarity, positives, ignored, None)
            pull = (shares[0].unsqueeze(1) + shares[0]).mul_(pairs)
            return rows.softmax(1).add_(columns.softmax(0)).sub_(pull).mul_(gradient), None, None
        share, slope = torch.cat([similarity.new_zeros(0), *shares]), torch.zeros_like(similarity)
        for part in _blocks(len(similarity)):
            rows, columns, pairs = _block(similarity, positives, ignored, part)
            slope[part].add_(rows.softmax(1)).sub_((share[part].unsqueeze(1) + share).mul_(pairs))
            slope[:, part].add_(columns.softmax(0))
        return slope.mul_(gradient), None, None


def _blocks(size: int) -> Sequence[slice | None]:
    """Return the rows of each block, None where all rows are one block."""
    if 0 < size * size <= BLOCK:
        return [None]
    width = max(1, BLOCK // max(size, 1))
    return [slice(start, start + width) for start in range(0, size, width)]


def _block(
    similarity: Tensor, positives: Tensor, ignored: Tensor | None, part: slice | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the rows [b, B] and the columns [B, b] of one block, and the positives of its rows."""
    if part is None:
        kept = similarity if ignored is None else similarity.masked_fill(ignored, OUT)
        return kept, kept, positives
    rows, columns, pairs = similarity[part], similarity[:, part], positives[part]
    if ignored is None:
        return rows, columns, pairs
    return rows.masked_fill(ignored[part], OUT), columns.masked_fill(ignored[part].T, OUT), pairs
