"""One deliberately wrong loss for each check of the contract kit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

import skinframe
from skinframe.signals import Labels, Logits


def good(logits: Tensor, labels: Tensor) -> Tensor:
    """A cross entropy that obeys every law."""
    valid = labels >= 0
    wide = logits.double() if logits.dtype == torch.float64 else logits.float()
    each = F.cross_entropy(wide, labels.clamp(min=0), reduction="none")
    return torch.where(valid, each, 0.0).sum() / valid.sum().clamp(min=1)


class Right(skinframe.Loss):
    """Passes every check, so that a check that fails everything is found out."""

    name = "right"
    coupling = "per_sample"

    def forward(self, logits: Logits, labels: Labels) -> Tensor:
        return good(logits, labels)


class Unreduced(Right):
    def forward(self, logits: Logits, labels: Labels) -> Tensor:
        return F.cross_entropy(logits, labels, reduction="none")


class Noisy(Right):
    def forward(self, logits: Logits, labels: Labels) -> Tensor:
        return good(logits, labels) + 1e-3 * torch.rand(())


class Meddler(Right):
    def forward(self, logits: Logits, labels: Labels) -> Tensor:
        with torch.no_grad():
            logits -= logits.amax(dim=1, keepdim=True) + 1
        return good(logits, labels)


class NaiveFocal(Right):
    """The usual (1 − exp(log p))^γ, whose gradient is NaN at saturated scores for γ < 1."""

    def forward(self, logits: Logits, labels: Labels) -> Tensor:
        log_p = F.log_softmax(logits.float(), dim=1).gather(1, labels.clamp(min=0).unsqueeze(1))
        return (-((1 - log_p.exp()) ** 0.5) * log_p).mean()


class FirstHeavier(Right):
    def forward(self, logits: Logits, labels: Labels) -> Tensor:
        return good(logits, labels) + good(logits[:1], labels[:1])


class FirstClassIsBackground(Right):
    """A scalar alpha read as 'class 0 is background', as some libraries do."""

    def forward(self, logits: Logits, labels: Labels) -> Tensor:
        each = F.cross_entropy(logits, labels.clamp(min=0), reduction="none")
        return (torch.where(labels == 0, 0.25, 0.75) * each).mean()


class RawScores(Right):
    def forward(self, logits: Logits, labels: Labels) -> Tensor:
        return good(logits, labels) + logits.square().mean()


class CountsTheMasked(Right):
    def forward(self, logits: Logits, labels: Labels) -> Tensor:
        return good(logits, labels) * (labels >= 0).double().mean()


class NaNWhenEmpty(Right):
    def forward(self, logits: Logits, labels: Labels) -> Tensor:
        return F.cross_entropy(logits, labels)


class SaysPerSample(Right):
    def forward(self, logits: Logits, labels: Labels) -> Tensor:
        return (logits.softmax(dim=1).mean(dim=0) - 0.5).abs().sum()


class HalfGradient(Right):
    def forward(self, logits: Logits, labels: Labels) -> Tensor:
        value = good(logits, labels)
        return value.detach() + (value - value.detach()) / 2


class Uphill(Right):
    def forward(self, logits: Logits, labels: Labels) -> Tensor:
        value = good(logits, labels)
        return 2 * value.detach() - value


class Forgetful(Right):
    """Holds a running mean and leaves it out of its state."""

    def __init__(self, config: object = None) -> None:
        super().__init__(config)
        self.mean = 0.0

    def forward(self, logits: Logits, labels: Labels) -> Tensor:
        value = good(logits, labels) + self.mean
        self.mean = 0.9 * self.mean + 0.1 * float(value.detach()) + 0.1
        return value

    def state(self) -> dict[str, Tensor]:
        return {}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        pass


class CountsAbsentSignal(Right):
    """Says that its terms are tokens, and reads none."""

    normalise_by: ClassVar[str] = "rationale_targets"


class CountsModelSignal(Right):
    """Says that its terms are counted by something that no batch holds before the model runs."""

    normalise_by: ClassVar[str] = "logits"


WRONG: dict[str, skinframe.Loss] = {
    "scalar": Unreduced(),
    "deterministic": Noisy(),
    "pure": Meddler(),
    "finite": NaiveFocal(),
    "sample_order": FirstHeavier(),
    "class_order": FirstClassIsBackground(),
    "shift": RawScores(),
    "masked": CountsTheMasked(),
    "all_masked": NaNWhenEmpty(),
    "additive": SaysPerSample(),
    "gradient": HalfGradient(),
    "descent": Uphill(),
    "resume": Forgetful(),
}
