"""The margin of a class over all the others, from which log p and log(1 − p) both come without cancellation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skinframe.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor


def all_margins(logits: Tensor) -> Tensor:
    """Return d_ik = z_ik − log Σ_{j≠k} exp z_ij for every class k; logits [B, C] -> [B, C].

    Then log p_k = logsigmoid(d_k) and log(1 − p_k) = logsigmoid(−d_k), each exact to the last bits at both ends.
    """
    B, C = logits.shape
    diagonal = torch.eye(C, dtype=torch.bool, device=logits.device)
    others = logits.unsqueeze(1).expand(B, C, C).masked_fill(diagonal, -torch.inf).logsumexp(2)
    return logits - others
