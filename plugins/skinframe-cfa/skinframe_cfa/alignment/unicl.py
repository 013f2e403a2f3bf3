"""Contrastive loss on whole images with a positive set that the recipe chooses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import skinframe
from skinframe.signals import Labels, LogitScale, Queries, Regions, SiteIds, TextIds, TextVectors
from skinframe_cfa.alignment.clip_infonce import clip_infonce
from skinframe_cfa.alignment.positive_pairs import (
    Floored,
    Image,
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


class UniCL(Floored, skinframe.Loss):
    """Multi-positive contrastive loss (Yang et al. 2022, arXiv:2204.03610; SupCon's L_out, Khosla et al. 2020).

    ½ mean_i −(1/|P_i|) Σ_{p∈P_i} log softmax(s I_i Tᵀ)_p + ½ the same from texts to images. P_i holds the samples with
    i's description always, and by option those of its class, or of its class and body site: that makes it a supervised
    loss. Where no two samples are positives of each other it is CLIP's InfoNCE.
    """

    name = "unicl"
    coupling = "batch"
    normalise_by = "text_ids"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        positives: Positives = "class"  # beside equal descriptions
        image: Image = "regions"  # what stands for the image; queries: see clip_infonce
        chunk: int = 0  # rows scored at a time, to save memory; 0 is all

        def __post_init__(self) -> None:
            check_positives(self.positives)
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
        site_ids: SiteIds | None = None,
    ) -> Tensor:
        v, q, t = described(text_ids, regions, queries, text_vectors)
        positives = described_pairs(text_ids, self.config.positives, labels, site_ids)
        scale = upcast(logit_scale)
        self.last.see(positives, scale)
        images = whole_image(v, q, self.config.image)
        return clip_infonce(images, t, scale, positives, chunk=self.config.chunk)
