"""Alignment of image regions with clinical descriptions, the grounding term of CFA."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import skinframe
from skinframe.lazy import F, torch
from skinframe.signals import Labels, LogitScale, Queries, Regions, SiteIds, TextIds, TextVectors
from skinframe_cfa.alignment.multi_positive_contrastive import multi_positive
from skinframe_cfa.alignment.positive_pairs import Floored, Positives, check_positives, described, described_pairs
from skinframe_cfa.loss_reduction import upcast

if TYPE_CHECKING:
    from torch import Tensor


def region_attention(regions: Tensor, queries: Tensor, kappa: float) -> Tensor:
    """Return a_iir = softmax_r(κ v_ir · q_i) [B, P]: where each sample's own query looks, as a heat map over patches.

    regions v [B, P, W] and queries q [B, W], unit length.
    """
    return (kappa * torch.einsum("ipw,iw->ip", upcast(regions), upcast(queries))).softmax(dim=1)


def region_similarity(regions: Tensor, texts: Tensor, queries: Tensor | None, kappa: float) -> Tensor:
    """Return s_ij = u_ij · t_j [B, B], with u_ij = norm(Σ_r a_ijr v_ir) the regions of image i that are looked at.

    Without queries each description looks for itself, a_ijr = softmax_r(κ v_ir · t_j); with them each image's own
    query looks, a_ir = softmax_r(κ v_ir · q_i). regions v [B, P, W], texts t and queries q [B, W], all unit length.
    """
    if queries is not None:
        attention = region_attention(regions, queries, kappa)
        pooled = F.normalize(torch.einsum("ip,ipw->iw", attention, regions), dim=-1, eps=1e-6)
        return pooled @ texts.T
    attention = (kappa * torch.einsum("ipw,jw->ijp", regions, texts)).softmax(dim=2)
    pooled = F.normalize(torch.einsum("ijp,ipw->ijw", attention, regions), dim=-1, eps=1e-6)
    return torch.einsum("ijw,jw->ij", pooled, texts)


class RegionAlignment(Floored, skinframe.Loss):
    """Region-text alignment (our reconstruction; after UniCL, Yang et al. 2022, arXiv:2204.03610).

    Multi-positive contrastive loss, both directions, over s · s_ij with s_ij of `region_similarity`. ∂L/∂a_ijr is
    proportional to how much better region r matches text j than the present mixture does: necessary for grounding, not
    sufficient. With query `text` the descriptions look over the regions and only the two projections learn; with
    `reasoner` the projected state looks, q_i = norm(Q h_i), and the reasoner learns too.
    """

    name = "region_alignment"
    coupling = "batch"
    normalise_by = "text_ids"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        kappa: float = 10.0  # inverse temperature of the attention; 0 is the mean of all regions
        positives: Positives = "text"  # same description, or also same class, or same class and body site
        query: Literal["text", "reasoner"] = "reasoner"  # who looks; `reasoner` needs it of the projection head too

        def __post_init__(self) -> None:
            if not (math.isfinite(self.kappa) and self.kappa >= 0):
                raise ValueError(f"kappa must be a finite number >= 0, got {self.kappa}")
            check_positives(self.positives)
            if self.query not in ("text", "reasoner"):
                raise ValueError(f"query must be text or reasoner, got {self.query!r}")

    def forward(
        self,
        regions: Regions,
        text_vectors: TextVectors,
        queries: Queries,
        logit_scale: LogitScale,
        text_ids: TextIds,
        labels: Labels,
        site_ids: SiteIds | None = None,
    ) -> Tensor:
        if self.config.query == "reasoner" and queries is text_vectors:
            raise ValueError("query is 'reasoner', but the projection gives the texts as queries; set query there too")
        v, t, q = described(text_ids, regions, text_vectors, queries)
        positives = described_pairs(text_ids, self.config.positives, labels, site_ids)
        scale = upcast(logit_scale)
        self.last.see(positives, scale)
        asks = q if self.config.query == "reasoner" else None
        return multi_positive(scale * region_similarity(v, t, asks, self.config.kappa), positives)
