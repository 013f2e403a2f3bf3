"""Adaptive and conditional label smoothing: squared penalties on the top score and on scores far below it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import skinframe
from skinframe.signals import Labels, Logits
from skinframe_cfa.loss_reduction import Reduction, blank, reduce, upcast

if TYPE_CHECKING:
    from torch import Tensor


def acls(
    logits: Tensor,
    labels: Tensor,
    margin: float,
    positive: float = 1.0,
    negative: float = 0.1,
    centre: bool = True,
    detach_top: bool = True,
    reduction: Reduction = "mean",
) -> Tensor:
    """ACLS's penalty (Park et al. 2023, arXiv:2308.11911): λ₁ [z_top − m]₊² + λ₂/(C−1) Σ_k [sg(z_top) − z_k − m]₊².

    logits z [B, C]; labels [B] only say who is masked (negative); λ₁ = `positive`, λ₂ = `negative`, k runs over the
    classes that are not the top. sg: no gradient to the top score there, unless `detach_top` is off. The released code
    takes z as it is, so a constant added to a row changes the value; `centre` takes the row's mean off first.
    """
    valid = labels >= 0
    z = blank(upcast(logits), valid)
    top = z == z.amax(dim=1, keepdim=True)
    if centre:
        z = z - z.mean(dim=1, keepdim=True)
    highest = z.amax(dim=1, keepdim=True)
    gaps = (highest.detach() if detach_top else highest) - z
    above = ((z - margin).relu().square() * top).sum(dim=1)
    below = ((gaps - margin).relu().square() * ~top).sum(dim=1) / max(z.shape[1] - 1, 1)
    return reduce(positive * above + negative * below, valid, None, reduction)


STOPPED = "the top score is a target, not trained, in the second term: the gradient is not that of the value"
RAW = "as released it reads the absolute top score, which a shift of the row changes"


class ACLS(skinframe.Loss):
    """ACLS's penalty (Park et al. 2023, arXiv:2308.11911): λ₁ [z_top − m]₊² + λ₂ mean_k [z_top − z_k − m]₊².

    To be added to cross entropy. As released (`centre: false`) it reads the absolute top score, which a softmax does
    not fix: the same probabilities can cost anything. The default centres each row's scores first.
    """

    name = "acls"
    coupling = "per_sample"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        margin: float = 10.0  # m, in logits; the released code's default, as are both weights
        positive: float = 1.0  # λ₁, on the top score
        negative: float = 0.1  # λ₂, on the others
        centre: bool = True  # off: as released, not invariant under a shift of a row
        detach_top: bool = True  # no gradient to the top score from the others, as released

        def __post_init__(self) -> None:
            for name in ("margin", "positive", "negative"):
                value = getattr(self, name)
                if not (math.isfinite(value) and value >= 0):
                    raise ValueError(f"{name} must be a finite number >= 0, got {value}")

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config)
        declared = {"gradient": STOPPED} if self.config.detach_top else {}
        self.breaks = declared if self.config.centre else {**declared, "shift": RAW}  # type: ignore[misc]  # by option

    def forward(self, logits: Logits, labels: Labels) -> Tensor:
        c = self.config
        return acls(logits, labels, c.margin, c.positive, c.negative, c.centre, c.detach_top)
