"""Image-text contrastive loss on whole images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import skinframe
from skinframe.signals import Labels, LogitScale, Queries, Regions, TextIds, TextVectors
from skinframe_cfa.alignment.multi_positive_contrastive import chunked_multi_positive, multi_positive
from skinframe_cfa.alignment.positive_pairs import (
    Floored,
    Image,
    check_chunk,
    check_image,
    described,
    described_pairs,
    same,
    whole_image,
)
from skinframe_cfa.loss_reduction import upcast

if TYPE_CHECKING:
    from torch import Tensor


def clip_infonce(
    images: Tensor,
    texts: Tensor,
    scale: Tensor,
    positives: Tensor,
    ignored: Tensor | None = None,
    chunk: int = 0,
) -> Tensor:
    """CLIP's InfoNCE (Radford et al. 2021, arXiv:2103.00020): ½ [CE(s I Tᵀ) + CE(s T Iᵀ)] with the given positives.

    images I [B, W] and texts T [B, W], unit length, scale s [], positives and ignored [B, B]. One to one positives give
    CLIP's own loss; one sample alone gives 0. `chunk` rows are scored at a time, 0: all; value and gradient are equal.
    """
    if 0 < chunk < len(images):
        return chunked_multi_positive(images, texts, scale, positives, ignored, chunk)
    return multi_positive((scale * images) @ texts.T, positives, ignored)


class ClipInfoNCE(Floored, skinframe.Loss):
    """CLIP's InfoNCE (Radford et al. 2021, arXiv:2103.00020), the comparison without regions.

    Equal descriptions count as positives of each other, so that a template's repeats are no false negatives. With
    `mask_false_negatives` pairs of one class with different descriptions are neither: they leave the denominator. The
    image side is the normalised mean of the projected patches (`region_alignment` with κ = 0), or the queries: use
    `queries` only where the projection takes them from the reasoner, since text queries against texts are trivially
    aligned.
    """

    name = "clip_infonce"
    coupling = "batch"
    normalise_by = "text_ids"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        image: Image = "regions"  # what stands for the image
        mask_false_negatives: bool = False  # take same-class pairs that are not positive out of the denominator
        chunk: int = 0  # rows scored at a time, to save memory; 0 is all

        def __post_init__(self) -> None:
            check_image(self.image)
            check_chunk(self.chunk)

    def forward(
        self,
        regions: Regions,
        queries: Queries,
        text_vectors: TextVectors,
        logit_scale: LogitScale,
        text_ids: TextIds,
        labels: Labels,
    ) -> Tensor:
        v, q, t, classes = described(text_ids, regions, queries, text_vectors, labels)
        positives, scale = described_pairs(text_ids, "text"), upcast(logit_scale)
        ignored = same(classes) & ~positives if self.config.mask_false_negatives else None
        self.last.see(positives, scale)
        return clip_infonce(whole_image(v, q, self.config.image), t, scale, positives, ignored, self.config.chunk)
