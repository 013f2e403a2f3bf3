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
    q^γ (γ p log p − q), and m has the derivative 1 by the label's score and −softmax of the others by theirs. A
    quarter of the operations that automatic differentiation records. It can be differentiated once.
    """

    @staticmethod
    def forward(ctx: Any, logits: Tensor, labels: Tensor, gamma: float | Tensor) -> Tensor:
        own = labels.unsqueeze(1)
        others = logits.scatter(1, own, -torch.inf)
        total = others.logsumexp(1, keepdim=True)
        margin = (logits.gather(1, own) - total).squeeze(1)
        log_p = F.logsigmoid(margin)
        factor = torch.exp(gamma * F.logsigmoid(-margin))
        ctx.save_for_backward(own, others, total, margin, log_p, factor)
        ctx.gamma = gamma
        return -factor * log_p

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        own, others, total, margin, log_p, factor = ctx.saved_tensors
        slope = factor * (ctx.gamma * margin.sigmoid() * log_p - (-margin).sigmoid())
        pull = (gradient * slope).unsqueeze(1)
        return (-pull * (others - total).exp()).scatter(1, own, pull), None, None
