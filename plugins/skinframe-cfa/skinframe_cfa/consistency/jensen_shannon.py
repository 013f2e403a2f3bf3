"""Agreement of the reasoner's class probabilities with those of the image branch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import skinframe
from skinframe.lazy import F
from skinframe.signals import ImageLogits, Logits
from skinframe_cfa.reduction import upcast

if TYPE_CHECKING:
    from torch import Tensor

Side = Literal["none", "image", "text"]


def jensen_shannon(logits: Tensor, other: Tensor) -> Tensor:
    """Jensen-Shannon divergence (Lin 1991), ½ KL(p‖m) + ½ KL(q‖m) with m = (p + q)/2, in [0, ln 2].

    logits, other [B, C] -> [B]. From log p and log q alone: log(p/m) = ln 2 + logsigmoid(log p − log q), which is
    exactly 0 where the two agree and finite where one of them is 0.
    """
    log_p, log_q = F.log_softmax(upcast(logits), dim=1), F.log_softmax(upcast(other), dim=1)
    p_m = math.log(2) + F.logsigmoid(log_p - log_q)
    q_m = math.log(2) + F.logsigmoid(log_q - log_p)
    return ((log_p.exp() * p_m).sum(dim=1) + (log_q.exp() * q_m).sum(dim=1)) / 2


class Consistency(skinframe.Loss):
    """Jensen-Shannon consistency of two branches (Lin 1991): (1/B) Σ_i JS(p_i ‖ p'_i).

    p_i = softmax(logits) of the reasoner (the text side), p'_i = softmax(image_logits) of the image branch.
    Both branches uniform is a trivial optimum: it must never be the only term.
    """

    name = "consistency"
    coupling = "per_sample"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        stop_gradient: Side = "none"  # the side that is taken as given and learns nothing from this term

        def __post_init__(self) -> None:
            if self.stop_gradient not in ("none", "image", "text"):
                raise ValueError(f"stop_gradient must be none, image or text, got {self.stop_gradient!r}")

    def forward(self, logits: Logits, image_logits: ImageLogits) -> Tensor:
        text = logits.detach() if self.config.stop_gradient == "text" else logits
        image = image_logits.detach() if self.config.stop_gradient == "image" else image_logits
        return jensen_shannon(text, image).mean()
