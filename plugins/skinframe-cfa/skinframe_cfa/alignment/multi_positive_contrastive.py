"""Multi-positive contrastive loss over similarities, in both directions, all at once or chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from skinframe.lazy import F, torch

if TYPE_CHECKING:
    from torch import Tensor


def one_direction(scores: Tensor, positives: Tensor, ignored: Tensor | None = None) -> Tensor:
    """Return −(1/|P_i|) Σ_{p∈P_i} log softmax(scores_i)_p for each row i [n].

    scores [n, m], positives [n, m] bool with at least one in each row. Pairs that are `ignored` [n, m] leave the
    denominator of the softmax; none of them may be positive.
    """
    kept = scores if ignored is None else scores.masked_fill(ignored, -torch.inf)
    matched = torch.where(positives, F.log_softmax(kept, dim=1), kept.new_zeros(()))
    return -matched.sum(dim=1) / positives.sum(dim=1)


def multi_positive(
    similarity: Tensor, positives: Tensor, ignored: Tensor | None = None, transposed: Tensor | None = None
) -> Tensor:
    """Multi-positive contrastive loss (UniCL, Yang et al. 2022, arXiv:2204.03610; CLIP where the pairs are one to one).

    ½ mean_i −(1/|P_i|) Σ_{p∈P_i} log softmax(S_i·)_p + ½ the same from texts to images. similarity S [B, B], scaled,
    images in rows; positives [B, B] bool with a true diagonal, symmetric, and so `ignored`. `transposed` [B, B], texts
    in rows, is given where texts see images by another similarity than Sᵀ. No sample gives 0.
    """
    from skinframe_cfa.alignment.contrastive_kernel import BothDirections

    both: Tensor
    if transposed is None:
        both = BothDirections.apply(similarity, positives, ignored)
    else:
        both = one_direction(similarity, positives, ignored).sum() + one_direction(transposed, positives, ignored).sum()
    return both / (2 * max(len(similarity), 1))


def chunked_multi_positive(
    images: Tensor, texts: Tensor, scale: Tensor, positives: Tensor, ignored: Tensor | None, chunk: int
) -> Tensor:
    """Return `multi_positive(scale * images @ texts.T, positives, ignored)` with chunk × B scores in memory at a time.

    images, texts [B, W], B > 0; positives, ignored [B, B]. The backward pass computes each chunk's scores again.
    """

    def rows(own: Tensor, others: Tensor, factor: Tensor, pairs: Tensor, out: Tensor | None) -> Tensor:
        return one_direction(factor * (own @ others.T), pairs, out).sum()

    sums = []
    for start in range(0, len(images), chunk):
        part = slice(start, start + chunk)
        out = None if ignored is None else ignored[part]
        for own, others in ((images, texts), (texts, images)):
            sums.append(computed_again(rows, own[part], others, scale, positives[part], out))
    return torch.stack(sums).sum() / (2 * len(images))


def computed_again(function: Callable[..., Tensor], *arguments: Tensor | None) -> Tensor:
    """Return function(*arguments) and keep no intermediate result: the backward pass computes it again."""
    from torch.utils.checkpoint import checkpoint

    return checkpoint(function, *arguments, use_reentrant=False)


def positive_floor(positives: Tensor) -> Tensor:
    """Return mean_i log |P_i|, the least value that `multi_positive` can take with these positives [B, B]; B = 0: 0."""
    return positives.sum(dim=1).double().log().sum() / max(len(positives), 1)
