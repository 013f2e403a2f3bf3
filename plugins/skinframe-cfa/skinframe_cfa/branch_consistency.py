"""Consistency of two branches, and the divergences that it may take."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import skinframe
from skinframe.lazy import F, torch
from skinframe.signals import ImageLogits, Labels, Logits
from skinframe_cfa.loss_reduction import blank, reduce, upcast

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


Divergence = Literal["js", "generalised_js", "kl", "reverse_kl", "symmetric_kl"]
DIVERGENCES: tuple[Divergence, ...] = ("js", "generalised_js", "kl", "reverse_kl", "symmetric_kl")
Side = Literal["none", "image", "text"]


def divergence(
    text: Tensor, image: Tensor, kind: Divergence, *, alpha: float = 0.5, temperature: float = 1.0
) -> Tensor:
    """Return T² D(p, q) with p = softmax(text / T), q = softmax(image / T); text, image [B, C] -> [B].

    T² keeps the size of the gradient as T grows (Hinton et al. 2015, arXiv:1503.02531). `kl` is KL(p‖q), `reverse_kl`
    KL(q‖p), `alpha` is p's weight in `generalised_js`.
    """
    log_p = F.log_softmax(upcast(text) / temperature, dim=1)
    log_q = F.log_softmax(upcast(image) / temperature, dim=1)
    if kind == "generalised_js":
        value = generalised_jensen_shannon(log_p, log_q, alpha)
    elif kind == "reverse_kl":
        value = kullback_leibler(log_q, log_p)
    else:
        known = {"js": jensen_shannon, "kl": kullback_leibler, "symmetric_kl": symmetric_kullback_leibler}
        value = known[kind](log_p, log_q)
    return temperature**2 * value


class Consistency(skinframe.Loss):
    """Consistency of two branches (Jensen-Shannon by default, Lin 1991): (1/B) Σ_i T² D(p_i, p'_i).

    p_i = softmax(logits / T) of the reasoner (the text side), p'_i = softmax(image_logits / T) of the image branch.
    Both branches uniform is a trivial optimum: it must never be the only term.
    """

    name = "consistency"
    coupling = "per_sample"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        divergence: Divergence = "js"
        stop_gradient: Side = "none"  # the side that is taken as given and learns nothing from this term
        alpha: float = 0.5  # weight of the text side in generalised_js
        temperature: float = 1.0  # T, softens both sides

        def __post_init__(self) -> None:
            if self.divergence not in DIVERGENCES:
                raise ValueError(f"divergence must be one of {', '.join(DIVERGENCES)}, got {self.divergence!r}")
            if self.stop_gradient not in ("none", "image", "text"):
                raise ValueError(f"stop_gradient must be none, image or text, got {self.stop_gradient!r}")
            if not 0 < self.alpha < 1:
                raise ValueError(f"alpha must be in (0, 1), got {self.alpha}")
            if not (math.isfinite(self.temperature) and self.temperature > 0):
                raise ValueError(f"temperature must be a finite number > 0, got {self.temperature}")

    def forward(self, logits: Logits, image_logits: ImageLogits, labels: Labels) -> Tensor:
        valid = labels >= 0
        text, image = blank(upcast(logits), valid), blank(upcast(image_logits), valid)
        text = text.detach() if self.config.stop_gradient == "text" else text
        image = image.detach() if self.config.stop_gradient == "image" else image
        c = self.config
        each = divergence(text, image, c.divergence, alpha=c.alpha, temperature=c.temperature)
        return reduce(each, valid, None, "mean")
