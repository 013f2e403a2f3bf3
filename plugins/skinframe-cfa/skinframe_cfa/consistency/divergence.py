"""Divergences between two sets of class probabilities, from their logarithms alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from skinframe.lazy import F, torch

if TYPE_CHECKING:
    from torch import Tensor


def kullback_leibler(log_p: Tensor, log_q: Tensor) -> Tensor:
    """Kullback-Leibler divergence KL(p‖q) = Σ_k p_k (log p_k − log q_k) >= 0, without an upper bound.

    log_p, log_q [B, C] finite -> [B]. A class with p_k = 0 contributes 0.
    """
    return (log_p.exp() * (log_p - log_q)).sum(dim=1)


def symmetric_kullback_leibler(log_p: Tensor, log_q: Tensor) -> Tensor:
    """Symmetric Kullback-Leibler divergence, ½ KL(p‖q) + ½ KL(q‖p). log_p, log_q [B, C] -> [B]."""
    return (kullback_leibler(log_p, log_q) + kullback_leibler(log_q, log_p)) / 2


def jensen_shannon(log_p: Tensor, log_q: Tensor) -> Tensor:
    """Jensen-Shannon divergence (Lin 1991), ½ KL(p‖m) + ½ KL(q‖m) with m = (p + q)/2, in [0, ln 2].

    log_p, log_q [B, C] -> [B]. log(p/m) = ln 2 + logsigmoid(log p − log q) is exactly 0 where the two agree and finite
    where one of them is 0.
    """
    p_m = math.log(2) + F.logsigmoid(log_p - log_q)
    q_m = math.log(2) + F.logsigmoid(log_q - log_p)
    return ((log_p.exp() * p_m).sum(dim=1) + (log_q.exp() * q_m).sum(dim=1)) / 2


def generalised_jensen_shannon(log_p: Tensor, log_q: Tensor, alpha: float) -> Tensor:
    """Generalised Jensen-Shannon divergence (Lin 1991): H(α p + (1 − α) q) − α H(p) − (1 − α) H(q), 0 < α < 1.

    log_p, log_q [B, C] -> [B], in [0, H(α, 1 − α)]; α = ½ is the Jensen-Shannon divergence. Computed as
    α KL(p‖m) + (1 − α) KL(q‖m) with log m = logaddexp(log α + log p, log(1 − α) + log q).
    """
    log_m = torch.logaddexp(math.log(alpha) + log_p, math.log1p(-alpha) + log_q)
    return alpha * kullback_leibler(log_p, log_m) + (1 - alpha) * kullback_leibler(log_q, log_m)
