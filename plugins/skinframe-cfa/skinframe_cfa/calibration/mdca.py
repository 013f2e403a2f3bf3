"""Multi-class difference of confidence and accuracy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import skinframe
from skinframe.lazy import F, torch
from skinframe.signals import Labels, Logits
from skinframe_cfa.calibration.queue import DetachedQueue, scale_gradient
from skinframe_cfa.reduction import upcast

if TYPE_CHECKING:
    from torch import Tensor


def mdca(probabilities: Tensor, labels: Tensor) -> Tensor:
    """MDCA (Hebbalaguppe et al. 2022, arXiv:2203.13834): (1/K) Σ_k |mean_i p_ik − mean_i 1[y_i = k]|.

    probabilities [n, K], labels [n] in 0…K−1. No argmax, so every class's mean is trained.
    """
    K = probabilities.shape[1]
    residual = probabilities - F.one_hot(labels, K).to(probabilities.dtype)
    return residual.sum(dim=0).abs().sum() / (K * max(len(labels), 1))


def mdca_floor(probabilities: Tensor, draws: int = 256) -> float:
    """Return the mean MDCA of a perfectly calibrated model with these probabilities [n, K]; y_i ~ p_i, fixed seed."""
    p = probabilities.detach().to("cpu", torch.float64)
    generator = torch.Generator().manual_seed(0)
    labels = torch.multinomial(p, draws, replacement=True, generator=generator)
    counts = F.one_hot(labels, p.shape[1]).sum(dim=0).to(p.dtype)
    return float((counts - p.sum(dim=0)).abs().mean() / len(p))


class MDCA(skinframe.Loss):
    """MDCA (Hebbalaguppe et al. 2022, arXiv:2203.13834): (1/K) Σ_k |mean_i p_ik − mean_i 1[y_i = k]|.

    i runs over a queue of detached samples and the live batch; the gradient flows through the live part alone and is
    scaled by n / n_live, as in `SoftECE`.
    """

    name = "mdca"
    coupling = "batch"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        queue: int = 512  # detached samples remembered; 0 is off

        def __post_init__(self) -> None:
            if self.queue < 0:
                raise ValueError(f"queue must be >= 0, got {self.queue}")

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config)
        self.queue = DetachedQueue(self.config.queue)
        self._seen: Tensor | None = None

    def forward(self, logits: Logits, labels: Labels) -> Tensor:
        valid = labels >= 0
        kept = upcast(logits)[valid]
        if len(kept) == 0:
            return kept.sum()
        live = {"probabilities": kept.softmax(dim=1), "labels": labels[valid]}
        joined = self.queue.join(live)
        self._seen = joined["probabilities"].detach()
        value = mdca(joined["probabilities"], joined["labels"])
        self.queue.push(live)
        return scale_gradient(value, len(joined["labels"]) / len(kept))

    def floor(self) -> float | None:
        """Return what a perfectly calibrated model with the last value's probabilities would score; None before one."""
        return None if self._seen is None else mdca_floor(self._seen)

    def state(self) -> dict[str, Tensor]:
        return self.queue.state()

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        self.queue.load_state(state)
