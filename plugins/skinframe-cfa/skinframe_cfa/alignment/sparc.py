"""Sparse fine-grained alignment inside one sample: each token gathers its regions and must know them again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import skinframe
from skinframe.lazy import F, torch
from skinframe.signals import LogitScale, Regions, TextIds, TextTokenMask, TextTokens
from skinframe_cfa.alignment.positive_pairs import described, described_tokens
from skinframe_cfa.loss_reduction import upcast

if TYPE_CHECKING:
    from torch import Tensor

FLAT = 1e-6  # where all regions match a token alike, to this, none is better than another
TIE = 1e-6  # a similarity at the threshold must fall on one side, however it was rounded


def grouped_regions(regions: Tensor, tokens: Tensor) -> Tensor:
    """Return the regions that each token gathers (Bica et al. 2024, arXiv:2401.09865), unit vectors [B, S, W].

    Similarities v_p · t_s of a token are min-max normalised over the P regions, those below 1/P set to 0, and the rest
    made to sum to 1: these are the weights of the regions. regions v [B, P, W], tokens t [B, S, W], unit length.
    """
    each = torch.einsum("bsw,bpw->bsp", tokens, regions)
    low, high = each.amin(dim=2, keepdim=True), each.amax(dim=2, keepdim=True)
    flat = high - low < FLAT
    share = torch.where(flat, 1.0, (each - low) / torch.where(flat, 1.0, high - low))
    share = torch.where(share < 1 / each.shape[2] - TIE, 0.0, share)
    weights = share / share.sum(dim=2, keepdim=True)
    return F.normalize(torch.einsum("bsp,bpw->bsw", weights, regions), dim=-1, eps=1e-6)


def sparc(regions: Tensor, tokens: Tensor, real: Tensor, scale: Tensor) -> Tensor:
    """Return SPARC's fine-grained term of each sample [B], ½ mean_s [−log softmax(s t_s·c)_s − log softmax(s c_s·t)_s].

    c are the grouped regions of the sample's own tokens; the softmax runs over its real tokens. regions [B, P, W],
    tokens t [B, S, W], unit length, real [B, S] bool with at least one in each row, scale s [].
    """
    scores = scale * torch.einsum("bsw,brw->bsr", tokens, grouped_regions(regions, tokens))
    matched = scores.diagonal(dim1=1, dim2=2)
    rows = scores.masked_fill(~real[:, None, :], -torch.inf).logsumexp(dim=2)
    columns = scores.masked_fill(~real[:, :, None], -torch.inf).logsumexp(dim=1)
    each = torch.where(real, (rows + columns) / 2 - matched, scores.new_zeros(()))
    return each.sum(dim=1) / real.sum(dim=1)


class SPARC(skinframe.Loss):
    """Fine-grained term of SPARC (Bica et al. 2024, arXiv:2401.09865); `clip_infonce` is its global one.

    (1/B) Σ_i ½ mean_s [−log softmax(s t_is·c_i)_s − log softmax(s c_is·t_i)_s], c_is the regions of image i that token
    s gathers. Other samples play no part, so micro-batches of any size will do; one token alone gives 0. No encoder of
    this project gives text tokens: a plugin's head provides `text_tokens` and `text_token_mask`.
    """

    name = "sparc"
    coupling = "per_sample"
    normalise_by = "text_ids"

    def forward(
        self,
        regions: Regions,
        text_tokens: TextTokens,
        text_token_mask: TextTokenMask,
        logit_scale: LogitScale,
        text_ids: TextIds,
    ) -> Tensor:
        (v,) = described(text_ids, regions)
        t, real = described_tokens(text_ids, text_tokens, text_token_mask)
        return sparc(v, t, real, upcast(logit_scale)).sum() / max(len(v), 1)
