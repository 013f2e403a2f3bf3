"""The attention of region alignment, taught to stay on the lesion where the data has masks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import skinframe
from skinframe.lazy import torch
from skinframe.signals import LesionCover, Queries, Regions
from skinframe_cfa.loss_reduction import upcast

if TYPE_CHECKING:
    from torch import Tensor


def region_mask(regions: Tensor, queries: Tensor, cover: Tensor, kappa: float) -> Tensor:
    """Return −log Σ_p m_ip a_ip of each sample [B], a_i = softmax_p(κ v_ip · q_i) the attention of its query.

    regions v [B, P, W], queries q [B, W], unit length; cover m [B, P] in [0, 1], how much of each patch the lesion
    fills, some above 0 in each row. At least 0, and 0 only where all attention lies on patches that the lesion fills.
    """
    scores = kappa * torch.einsum("bpw,bw->bp", regions, queries)
    return scores.logsumexp(dim=1) - (scores + cover.to(scores.dtype).log()).logsumexp(dim=1)


class RegionMask(skinframe.Loss):
    """Mask term (ours): (1/B) Σ_i −log Σ_p m_ip a_ip, a_i = softmax_p(κ v_ip · q_i) as in `region_alignment`.

    m_ip is the part of patch p that the lesion of image i fills. B counts the images with a mask that shows some of the
    lesion; the others are left out. Trains where the query looks, from masks and not from texts: a heat map that was
    taught this way is no evidence of grounding.
    """

    name = "region_mask"
    coupling = "per_sample"
    normalise_by = "lesion_cover"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        kappa: float = 10.0  # inverse temperature of the attention; as in region_alignment

        def __post_init__(self) -> None:
            if not (math.isfinite(self.kappa) and self.kappa >= 0):
                raise ValueError(f"kappa must be a finite number >= 0, got {self.kappa}")

    def forward(self, regions: Regions, queries: Queries, lesion_cover: LesionCover) -> Tensor:
        cover = lesion_cover.detach().nan_to_num(0.0).clamp(min=0.0)
        valid = cover.sum(dim=1) > 0
        v, q, cover = upcast(regions)[valid], upcast(queries)[valid], cover[valid]
        return region_mask(v, q, cover, self.config.kappa).sum() / max(len(v), 1)
