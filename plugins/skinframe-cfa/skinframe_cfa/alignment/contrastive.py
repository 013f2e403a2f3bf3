"""Multi-positive contrastive loss over a similarity matrix, in both directions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from skinframe.lazy import F, torch

if TYPE_CHECKING:
    from torch import Tensor

Positives = Literal["text", "class"]


def positive_pairs(text_ids: Tensor, labels: Tensor | None = None) -> Tensor:
    """Return the bool matrix [B, B] of positive pairs: same description always, same class where `labels` are given.

    text_ids [B] (negative: the sample has no description and is in no pair), labels [B] (negative: class unknown,
    a positive by its text alone).
    """
    same = text_ids.unsqueeze(0) == text_ids.unsqueeze(1)
    if labels is not None:
        same = same | ((labels.unsqueeze(0) == labels.unsqueeze(1)) & (labels >= 0))
    valid = text_ids >= 0
    return same & valid.unsqueeze(0) & valid.unsqueeze(1)


def multi_positive(similarity: Tensor, positives: Tensor) -> Tensor:
    """Multi-positive contrastive loss (UniCL, Yang et al. 2022, arXiv:2204.03610; CLIP where the pairs are one to one).

    ½ mean_i −(1/|P_i|) Σ_{p∈P_i} log softmax(S_i·)_p + ½ the same over columns. similarity S [B, B] (scaled, images in
    rows), positives [B, B] bool, symmetric. A sample without a positive pair is left out, of the denominators as well.
    """
    count = positives.sum(dim=1)
    valid = count > 0
    outside = ~(valid.unsqueeze(0) & valid.unsqueeze(1))
    # finite, so that a masked row has a softmax to differentiate; far below any score that a scale ≤ 100 can give
    masked = similarity.masked_fill(outside, -1e9)
    rows, columns = F.log_softmax(masked, dim=1), F.log_softmax(masked, dim=0)
    zero = similarity.new_zeros(())
    matched = torch.where(positives, rows, zero).sum(dim=1) + torch.where(positives, columns, zero).sum(dim=0)
    return -(matched / (2 * count.clamp(min=1))).sum() / valid.sum().clamp(min=1)


def positive_floor(positives: Tensor) -> Tensor:
    """Return mean_i log |P_i|, the least value that `multi_positive` can take with these positives [B, B]."""
    count = positives.sum(dim=1)
    return count.clamp(min=1).double().log().sum() / (count > 0).sum().clamp(min=1)
