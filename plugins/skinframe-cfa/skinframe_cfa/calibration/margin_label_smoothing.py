"""Margin-based label smoothing: scores may differ by a margin, and no further."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import skinframe
from skinframe.signals import Labels, Logits
from skinframe_cfa.loss_reduction import Reduction, blank, reduce, upcast

if TYPE_CHECKING:
    from torch import Tensor


def mbls(logits: Tensor, labels: Tensor, margin: float, reduction: Reduction = "mean") -> Tensor:
    """MbLS's penalty (Liu et al. 2022, arXiv:2111.15430): (1/C) Σ_k max(0, max_j z_ij − z_ik − m).

    logits z [B, C]; labels [B] only say who is masked (negative). 0 where no score lies more than m below the top.
    """
    valid = labels >= 0
    z = blank(upcast(logits), valid)
    gaps = z.amax(dim=1, keepdim=True) - z
    return reduce((gaps - margin).relu().mean(dim=1), valid, None, reduction)


class MbLS(skinframe.Loss):
    """MbLS's penalty (Liu et al. 2022, arXiv:2111.15430): (1/B) Σ_i (1/C) Σ_k max(0, max_j z_ij − z_ik − m).

    To be added to cross entropy or focal loss; m = 0 pulls to uniform scores, as label smoothing does. With C classes
    a margin m still allows a confidence of 1 / (1 + (C − 1) exp(−m)): choose m by what is to be allowed.
    """

    name = "mbls"
    coupling = "per_sample"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        margin: float = 10.0  # m, in logits; the released code's default

        def __post_init__(self) -> None:
            if not (math.isfinite(self.margin) and self.margin >= 0):
                raise ValueError(f"margin must be a finite number >= 0, got {self.margin}")

    def forward(self, logits: Logits, labels: Labels) -> Tensor:
        return mbls(logits, labels, self.config.margin)
