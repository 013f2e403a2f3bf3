from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional as F

import skinframe
from skinframe.signals import Labels, Logits


class SmoothedCrossEntropy(skinframe.Loss):
    """Cross entropy with smoothed targets (Szegedy et al. 2016, arXiv:1512.00567)."""

    name = "smoothed_cross_entropy"
    coupling = "per_sample"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        smoothing: float = 0.1

        def __post_init__(self) -> None:
            if not 0 <= self.smoothing < 1:
                raise ValueError(f"smoothing must be in [0, 1), got {self.smoothing}")

    def forward(self, logits: Logits, labels: Labels) -> Tensor:
        seen = labels >= 0  # a negative label masks its sample
        scores = skinframe.upcast(logits[seen])
        total = F.cross_entropy(scores, labels[seen], label_smoothing=self.config.smoothing, reduction="sum")
        return total / seen.sum().clamp(min=1)


@skinframe.hookimpl
def register_losses() -> list[type[skinframe.Loss]]:
    return [SmoothedCrossEntropy]
