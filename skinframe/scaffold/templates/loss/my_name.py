from dataclasses import dataclass

from torch import Tensor

import skinframe
from skinframe.signals import Labels, Logits


class MyName(skinframe.Loss):
    """Generalised cross entropy (Zhang and Sabuncu 2018, arXiv:1805.07836): (1/B) Σ_i (1 − p_iy^q) / q."""

    name = "my_name"
    coupling = "per_sample"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        q: float = 0.7  # near 0: cross entropy; 1: the mean absolute error

        def __post_init__(self) -> None:
            if not 0 < self.q <= 1:
                raise ValueError(f"q must be in (0, 1], got {self.q}")

    def forward(self, logits: Logits, labels: Labels) -> Tensor:
        seen = labels >= 0  # a negative label masks its sample
        log_p = skinframe.upcast(logits[seen]).log_softmax(dim=1)
        own = log_p.gather(1, labels[seen].unsqueeze(1))
        each: Tensor = (1 - (self.config.q * own).exp()) / self.config.q
        return each.sum() / seen.sum().clamp(min=1)


@skinframe.hookimpl
def register_losses() -> list[type[skinframe.Loss]]:
    return [MyName]
