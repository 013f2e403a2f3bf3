"""Text tokens beside image regions: which are real, and what a sample without one gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skinframe.lazy import torch
from skinframe_cfa.alignment.pairs import described

if TYPE_CHECKING:
    from torch import Tensor


def described_tokens(text_ids: Tensor, tokens: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return the tokens [n, S, W] of samples that have a description, zero where they pad, and the bool mask [n, S].

    Whatever stands in the padding gets a gradient of exactly zero, even NaN. Raises ValueError where a described sample
    has no real token.
    """
    t, real = described(text_ids, tokens, mask > 0)
    empty = (~real.any(dim=1)).nonzero().flatten().tolist()
    if empty:
        rows = (text_ids >= 0).nonzero().flatten()[empty].tolist()
        shown = ", ".join(map(str, rows))
        raise ValueError(f"text_token_mask: the description of sample {shown} of the batch has no token")
    return torch.where(real.unsqueeze(2), t, t.new_zeros(())), real
