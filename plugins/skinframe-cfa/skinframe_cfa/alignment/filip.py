"""Late interaction: each region looks for its best token, and each token for its best region."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import skinframe
from skinframe.lazy import torch
from skinframe.signals import Labels, LogitScale, Regions, SiteIds, TextIds, TextTokenMask, TextTokens
from skinframe_cfa.alignment.multi_positive_contrastive import multi_positive
from skinframe_cfa.alignment.positive_pairs import (
    Floored,
    Positives,
    check_positives,
    described,
    described_pairs,
    described_tokens,
)
from skinframe_cfa.loss_reduction import upcast

if TYPE_CHECKING:
    from torch import Tensor


def late_interaction(regions: Tensor, tokens: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
    """Return FILIP's similarities (Yao et al. 2021, arXiv:2111.07783), images in rows and texts in rows [B, B] each.

    s_I(i, j) = mean_k max_r v_ik · t_jr over the regions k and the real tokens r; s_T(j, i) = mean_r max_k of the same.
    regions v [B, P, W] and tokens t [B, S, W], unit length, real [B, S] bool with at least one in each row.
    """
    each = torch.einsum("ipw,jsw->ijps", regions, tokens)
    outside = ~real[None, :, None, :]
    image_side = each.masked_fill(outside, -torch.inf).amax(dim=3).mean(dim=2)
    best = torch.where(real[None], each.amax(dim=2), each.new_zeros(()))
    text_side = best.sum(dim=2) / real.sum(dim=1)[None]
    return image_side, text_side.T


class FILIP(Floored, skinframe.Loss):
    """FILIP (Yao et al. 2021, arXiv:2111.07783): multi-positive contrastive loss over s · s_I and s · s_T.

    s_I(i, j) = mean_k max_r v_ik · t_jr, s_T(j, i) = mean_r max_k v_ik · t_jr, padding left out. Frozen patch and text
    tokens of CLIP do not match out of the box, so both need a trained projection. No encoder of this project gives text
    tokens: a plugin's head provides `text_tokens` and `text_token_mask`.
    """

    name = "filip"
    coupling = "batch"
    normalise_by = "text_ids"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        positives: Positives = "text"  # same description, or also same class, or same class and body site

        def __post_init__(self) -> None:
            check_positives(self.positives)

    def forward(
        self,
        regions: Regions,
        text_tokens: TextTokens,
        text_token_mask: TextTokenMask,
        logit_scale: LogitScale,
        text_ids: TextIds,
        labels: Labels,
        site_ids: SiteIds | None = None,
    ) -> Tensor:
        (v,) = described(text_ids, regions)
        t, real = described_tokens(text_ids, text_tokens, text_token_mask)
        positives = described_pairs(text_ids, self.config.positives, labels, site_ids)
        scale = upcast(logit_scale)
        self.last.see(positives, scale)
        image_side, text_side = late_interaction(v, t, real)
        return multi_positive(scale * image_side, positives, None, scale * text_side)
