"""Asymmetric loss for the checklist attributes of a lesion, of which several hold at once and some are unknown."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import skinframe
from skinframe.lazy import F, torch
from skinframe.signals import AttributeLogits, Attributes
from skinframe_cfa.loss_reduction import Reduction, reduce, upcast

if TYPE_CHECKING:
    from torch import Tensor


def asymmetric(
    logits: Tensor,
    attributes: Tensor,
    gamma_positive: float,
    gamma_negative: float,
    margin: float,
    *,
    detach_focus: bool = False,
    reduction: Reduction = "mean",
) -> Tensor:
    """Asymmetric loss (Ridnik et al. 2021, arXiv:2009.14119), −[y L⁺ + (1 − y) L⁻] averaged over a sample's attributes.

    L⁺ = (1 − p)^γ⁺ log p, L⁻ = p_m^γ⁻ log(1 − p_m), p_m = max(p − m, 0), p = sigmoid(logits). logits [B, A],
    attributes y [B, A] in {0, 1}, NaN where unknown: such an entry is left out, and a sample with none known is masked.
    γ± = 0 and m = 0 is binary cross entropy. `detach_focus` takes (1 − p)^γ⁺ and p_m^γ⁻ as constants, as the authors'
    code does by default: same value, other gradient.
    """
    known = ~attributes.isnan()
    zero = upcast(logits).new_zeros(())
    z, y = torch.where(known, upcast(logits), zero), torch.where(known, attributes, 0.0).to(zero.dtype)
    log_p, log_q = F.logsigmoid(z), F.logsigmoid(-z)
    log_pm, log_qm = (log_p, log_q) if margin == 0 else _shifted(z.sigmoid(), margin)
    focus_positive, focus_negative = torch.exp(gamma_positive * log_q), torch.exp(gamma_negative * log_pm)
    if detach_focus:
        focus_positive, focus_negative = focus_positive.detach(), focus_negative.detach()
    each = -(y * focus_positive * log_p + (1 - y) * focus_negative * log_qm)
    count = known.sum(dim=1)
    return reduce(torch.where(known, each, zero).sum(dim=1) / count.clamp(min=1), count > 0, None, reduction)


def _shifted(p: Tensor, margin: float) -> tuple[Tensor, Tensor]:
    """Return log p_m and log(1 − p_m), p_m = max(p − m, 0); where p_m is 0 so is the second, and the first is moot."""
    above = p > margin
    excess = torch.where(above, p - margin, 0.5)
    return excess.log(), torch.where(above, torch.log1p(-excess), 0.0)


class Asymmetric(skinframe.Loss):
    """Asymmetric multi-label loss on attributes (Ridnik et al. 2021, arXiv:2009.14119).

    (1/B) Σ_i (1/|A_i|) Σ_{a ∈ A_i} −[y_ia L⁺_ia + (1 − y_ia) L⁻_ia], A_i the known attributes of sample i, B the number
    of samples that have one. Easy negatives count less than easy positives; those with p < m do not count.
    """

    name = "asymmetric"
    coupling = "per_sample"
    normalise_by = "attributes"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        gamma_positive: float = 0.0  # focus on hard positives
        gamma_negative: float = 4.0  # focus on hard negatives
        margin: float = 0.05  # m, negatives below which are dropped
        detach_focus: bool = False  # true: the focus carries no gradient, as in the authors' code

        def __post_init__(self) -> None:
            for name in ("gamma_positive", "gamma_negative"):
                if not (math.isfinite(getattr(self, name)) and getattr(self, name) >= 0):
                    raise ValueError(f"{name} must be a finite number >= 0, got {getattr(self, name)}")
            if not 0 <= self.margin < 1:
                raise ValueError(f"margin must be in [0, 1), got {self.margin}")

    def forward(self, attribute_logits: AttributeLogits, attributes: Attributes) -> Tensor:
        c = self.config
        options = (c.gamma_positive, c.gamma_negative, c.margin)
        return asymmetric(attribute_logits, attributes, *options, detach_focus=c.detach_focus)
