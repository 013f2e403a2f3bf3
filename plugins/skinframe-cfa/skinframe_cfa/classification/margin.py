"""The margin of a class over all the others, from which log p and log(1 − p) both come without cancellation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skinframe.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor


def label_margin(logits: Tensor, labels: Tensor) -> Tensor:
    """Return d_i = z_iy − log Σ_{j≠y} exp z_ij, for logits [B, C] and labels [B] in 0…C−1.

    Then log p_y = logsigmoid(d) and log(1 − p_y) = logsigmoid(−d), each exact to the last bits at both ends.
    """
    own = labels.unsqueeze(1)
    others = logits.scatter(1, own, -torch.inf).logsumexp(1)
    return logits.gather(1, own).squeeze(1) - others


def all_margins(logits: Tensor) -> Tensor:
    """Return d_ik = z_ik − log Σ_{j≠k} exp z_ij for every class k; logits [B, C] -> [B, C]."""
    B, C = logits.shape
    diagonal = torch.eye(C, dtype=torch.bool, device=logits.device)
    others = logits.unsqueeze(1).expand(B, C, C).masked_fill(diagonal, -torch.inf).logsumexp(2)
    return logits - others
