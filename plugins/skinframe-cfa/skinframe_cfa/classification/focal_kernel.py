"""Focal loss in one differentiable operation. Imported only when a focal term is computed."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F


class FocalOfLogits(torch.autograd.Function):
    """−(1 − p)^γ log p [B] with its gradient by the logits [B, C] written out; labels [B] in 0…C−1, γ one or [B].

    With the margin m of the label over the other classes, p = σ(m) and q = σ(−m), the derivative by m is
    q^γ (γ p log p − q), and m has the derivative 1 by the label's score and −softmax of the others by theirs; of two
    classes the other's score is all there is of them. A quarter of the operations that automatic differentiation
    records. It can be differentiated once.
    """

    @staticmethod
    def forward(ctx: Any, logits: Tensor, labels: Tensor, gamma: float | Tensor) -> Tensor:
        own = labels.unsqueeze(1)
        if logits.shape[1] == 2:
            others, total = None, logits.gather(1, 1 - own)
        else:
            others = logits.scatter(1, own, -torch.inf)
            total = others.logsumexp(1, keepdim=True)
        margin = (logits.gather(1, own) - total).squeeze(1)
        log_p, q = F.logsigmoid(margin), margin.neg().sigmoid()
        factor = q**gamma
        ctx.save_for_backward(own, others, total, q, log_p, factor)
        ctx.gamma = gamma
        return -factor * log_p

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        own, others, total, q, log_p, factor = ctx.saved_tensors
        slope = (gradient * factor * (ctx.gamma * (1 - q) * log_p - q)).unsqueeze(1)
        rest = -slope.expand(-1, 2) if others is None else (others - total).exp_().mul_(-slope)
        return rest.scatter(1, own, slope), None, None
