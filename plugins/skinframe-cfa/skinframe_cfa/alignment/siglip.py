"""Pairwise image-text loss: each pair on its own, so small batches keep its meaning."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import skinframe
from skinframe.lazy import F, torch
from skinframe.signals import Labels, LogitBias, LogitScale, Queries, Regions, SiteIds, TextIds, TextVectors
from skinframe_cfa.alignment.multi_positive_contrastive import computed_again
from skinframe_cfa.alignment.positive_pairs import (
    Image,
    Noted,
    Positives,
    check_chunk,
    check_image,
    check_positives,
    described,
    described_pairs,
    whole_image,
)
from skinframe_cfa.loss_reduction import upcast

if TYPE_CHECKING:
    from torch import Tensor


def siglip(images: Tensor, texts: Tensor, scale: Tensor, bias: Tensor, positives: Tensor, chunk: int = 0) -> Tensor:
    """SigLIP (Zhai et al. 2023, arXiv:2303.15343): −(1/B) Σ_ij log σ(y_ij (s I_i·T_j + b)), y = 1 where positive or −1.

    images I, texts T [B, W], unit length, scale s and bias b [], positives [B, B]. One sample alone is meaningful.
    `chunk` texts are scored at a time, 0: all; value and gradient are equal, each chunk is scored again going back.
    """

    def block(some: Tensor, pairs: Tensor, own: Tensor, factor: Tensor, offset: Tensor) -> Tensor:
        signs = pairs.to(own.dtype).mul_(2).sub_(1)
        return -F.logsigmoid(signs * ((factor * own) @ some.T + offset)).sum()

    size = max(len(images), 1)
    if not 0 < chunk < len(texts):
        return block(texts, positives, images, scale, bias) / size
    parts = [slice(start, start + chunk) for start in range(0, len(texts), chunk)]
    sums = [computed_again(block, texts[part], positives[:, part], images, scale, bias) for part in parts]
    return torch.stack(sums).sum() / size


def prior_bias(positives: Tensor) -> float:
    """Return b₀ = −log(#negatives / #positives) of pairs [B, B]: unrelated vectors score the prior; 0 without both."""
    count = int(positives.sum())
    rest = positives.numel() - count
    return -math.log(rest / count) if count and rest else 0.0


class SigLIP(Noted, skinframe.Loss):
    """SigLIP (Zhai et al. 2023, arXiv:2303.15343): −(1/B) Σ_ij log σ(y_ij (s I_i·T_j + b)).

    b is `bias` plus the learned `logit_bias` where the projection gives one. A good start is −log(#negatives /
    #positives): −3.4 for 32 samples one to one, the paper's −10 for 22,000. `bias: null` takes it from each batch, and
    then the term is no sum over pairs any more.
    """

    name = "siglip"
    coupling = "pairwise_additive"
    normalise_by = "text_ids"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        positives: Positives = "text"  # same description, or also same class, or same class and body site
        image: Image = "regions"  # what stands for the image; queries: see clip_infonce
        bias: float | None = -3.4  # b at the start; null: by each batch's share of positives
        chunk: int = 0  # texts scored at a time, to save memory; 0 is all

        def __post_init__(self) -> None:
            check_positives(self.positives)
            check_image(self.image)
            check_chunk(self.chunk)
            if self.bias is not None and not math.isfinite(self.bias):
                raise ValueError(f"bias must be a finite number or null, got {self.bias}")

    def forward(
        self,
        regions: Regions,
        queries: Queries,
        text_vectors: TextVectors,
        logit_scale: LogitScale,
        text_ids: TextIds,
        labels: Labels,
        site_ids: SiteIds | None = None,
        logit_bias: LogitBias | None = None,
    ) -> Tensor:
        v, q, t = described(text_ids, regions, queries, text_vectors)
        positives = described_pairs(text_ids, self.config.positives, labels, site_ids)
        scale = upcast(logit_scale)
        self.last.see(positives, scale)
        start = prior_bias(positives) if self.config.bias is None else self.config.bias
        bias = start + (scale.new_zeros(()) if logit_bias is None else upcast(logit_bias))
        return siglip(whole_image(v, q, self.config.image), t, scale, bias, positives, self.config.chunk)
