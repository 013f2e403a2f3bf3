"""Image-text contrastive loss on whole images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import skinframe
from skinframe.lazy import F
from skinframe.signals import LogitScale, Queries, Regions, TextIds, TextVectors
from skinframe_cfa.alignment.contrastive import multi_positive, positive_floor, positive_pairs
from skinframe_cfa.reduction import blank, upcast

if TYPE_CHECKING:
    from torch import Tensor


def clip_infonce(images: Tensor, texts: Tensor, scale: Tensor, positives: Tensor) -> Tensor:
    """CLIP's InfoNCE (Radford et al. 2021, arXiv:2103.00020): ½ [CE(s I Tᵀ) + CE(s T Iᵀ)] with the given positives.

    images I [B, W] and texts T [B, W], unit length, scale s [], positives [B, B]. One to one positives give CLIP's own
    loss; one sample alone gives 0.
    """
    return multi_positive(scale * (images @ texts.T), positives)


class ClipInfoNCE(skinframe.Loss):
    """CLIP's InfoNCE (Radford et al. 2021, arXiv:2103.00020), the comparison without regions.

    Equal descriptions count as positives of each other, so that a template's repeats are no false negatives. The image
    side is the normalised mean of the projected patches (`region_alignment` with κ = 0), or the queries: use `queries`
    only where the projection takes them from the reasoner, since text queries against texts are trivially aligned.
    """

    name = "clip_infonce"
    coupling = "batch"
    normalise_by = "text_ids"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        image: Literal["regions", "queries"] = "regions"  # what stands for the image

        def __post_init__(self) -> None:
            if self.image not in ("regions", "queries"):
                raise ValueError(f"image must be regions or queries, got {self.image!r}")

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config)
        self._positives: Tensor | None = None

    def forward(
        self,
        regions: Regions,
        queries: Queries,
        text_vectors: TextVectors,
        logit_scale: LogitScale,
        text_ids: TextIds,
    ) -> Tensor:
        valid = text_ids >= 0
        pooled = F.normalize(blank(upcast(regions), valid).mean(dim=1), dim=-1, eps=1e-6)
        images = pooled if self.config.image == "regions" else blank(upcast(queries), valid)
        self._positives = positive_pairs(text_ids)
        texts = blank(upcast(text_vectors), valid)
        return clip_infonce(images, texts, upcast(logit_scale), self._positives)

    def floor(self) -> float | None:
        """Return the least value possible with the last batch's positives, mean log |P_i|; None before one."""
        return None if self._positives is None else float(positive_floor(self._positives))
