"""One deliberately wrong loss for each check of the contract kit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

import skinframe
from skinframe.signals import Labels, Logits, Signal


def scores(logits: Tensor, labels: Tensor) -> Tensor:
    """Scores in float32 at least, with zeros where a label is masked."""
    wide = logits if logits.dtype == torch.float64 else logits.float()
    return wide.where((labels >= 0).unsqueeze(1), 0.0)


def mean(each: Tensor, labels: Tensor) -> Tensor:
    """The mean of a number that each sample has over those that are not masked; 0 where all are."""
    valid = labels >= 0
    return torch.where(valid, each, 0.0).sum() / valid.sum().clamp(min=1)


def costs(logits: Tensor, labels: Tensor) -> Tensor:
    return F.cross_entropy(scores(logits, labels), labels.clamp(min=0), reduction="none")


def mean_rows(logits: Tensor, labels: Tensor) -> Tensor:
    """The mean prediction [C]."""
    rows = scores(logits, labels).softmax(dim=1)
    return rows.where((labels >= 0).unsqueeze(1), 0.0).sum(dim=0) / (labels >= 0).sum().clamp(min=1)


def good(logits: Tensor, labels: Tensor) -> Tensor:
    """A cross entropy that obeys every law."""
    return mean(costs(logits, labels), labels)


class Right(skinframe.Loss):
    """Passes every check, so that a check that fails everything is found out."""

    name = "right"
    coupling = "per_sample"

    def forward(self, logits: Logits, labels: Labels) -> Tensor:
        return good(logits, labels)


KitWeights = Annotated[Tensor, Signal("kit_weights", "B", "one weight per sample")]


class Weighted(Right):
    """A cross entropy whose samples may have weights; passes every check with and without them."""

    def forward(self, logits: Logits, labels: Labels, kit_weights: KitWeights | None = None) -> Tensor:
        if kit_weights is None:
            return self.plain(logits, labels)
        return mean(costs(logits, labels) * kit_weights.where(labels >= 0, 0.0), labels)

    def plain(self, logits: Tensor, labels: Tensor) -> Tensor:
        return good(logits, labels)


class SpoiltWithoutItsWeights(Weighted):
    def plain(self, logits: Tensor, labels: Tensor) -> Tensor:
        return good(logits, labels) + 0 * logits.sum()


class UnreducedWithoutItsWeights(Weighted):
    def plain(self, logits: Tensor, labels: Tensor) -> Tensor:
        return costs(logits, labels)


class CrashesWithoutItsWeights(Weighted):
    def plain(self, logits: Tensor, labels: Tensor) -> Tensor:
        raise TypeError("unsupported operand type(s) for *: 'Tensor' and 'NoneType'")


class NeedsItsWeights(Weighted):
    def plain(self, logits: Tensor, labels: Tensor) -> Tensor:
        raise ValueError("needs the signal kit_weights; provide it")


class Unreduced(Right):
    def forward(self, logits: Logits, labels: Labels) -> Tensor:
        return F.cross_entropy(logits, labels, reduction="none")


class Noisy(Right):
    def forward(self, logits: Logits, labels: Labels) -> Tensor:
        return good(logits, labels) * (1 + 1e-13 * float(torch.rand(())))


class Meddler(Right):
    def forward(self, logits: Logits, labels: Labels) -> Tensor:
        with torch.no_grad():
            logits -= logits.amax(dim=1, keepdim=True) + 1
        return good(logits, labels)


class NaiveFocal(Right):
    """The usual (1 − exp(log p))^γ, whose gradient is NaN at saturated scores for γ < 1."""

    def forward(self, logits: Logits, labels: Labels) -> Tensor:
        log_p = -costs(logits, labels)
        return mean(-((1 - log_p.exp()) ** 0.5) * log_p, labels)


class FirstHeavier(Right):
    def forward(self, logits: Logits, labels: Labels) -> Tensor:
        return good(logits, labels) + 0.1 * good(logits[:1], labels[:1]) * (labels[0] >= 0)


class FirstClassIsBackground(Right):
    """A scalar alpha read as 'class 0 is background', as some libraries do."""

    def forward(self, logits: Logits, labels: Labels) -> Tensor:
        return mean(torch.where(labels == 0, 0.25, 0.75) * costs(logits, labels), labels)


class RawScores(Right):
    def forward(self, logits: Logits, labels: Labels) -> Tensor:
        return good(logits, labels) + mean(scores(logits, labels).square().sum(dim=1), labels)


class CountsTheMasked(Right):
    def forward(self, logits: Logits, labels: Labels) -> Tensor:
        value = good(logits, labels)
        return value * (labels >= 0).to(value).mean()


class TimesTheMask(Right):
    """Multiplies by the mask, and 0 · NaN is NaN."""

    def forward(self, logits: Logits, labels: Labels) -> Tensor:
        return good(logits, labels) + 0.0 * (logits.sum(dim=1) * (labels >= 0)).sum().float()


class NaNWhenEmpty(Right):
    def forward(self, logits: Logits, labels: Labels) -> Tensor:
        return costs(logits, labels).where(labels >= 0, 0.0).sum() / (labels >= 0).sum()


class StaysNarrow(Right):
    """Computes in whatever numbers it is given."""

    def forward(self, logits: Logits, labels: Labels) -> Tensor:
        masked = logits.where((labels >= 0).unsqueeze(1), 0.0)
        return mean(F.cross_entropy(masked, labels.clamp(min=0), reduction="none"), labels)


class Spread(Right):
    """Divides by the spread over the batch, which one sample does not have."""

    def forward(self, logits: Logits, labels: Labels) -> Tensor:
        spread = scores(logits, labels).var(dim=0).sum() if len(labels) else 0.0
        return good(logits, labels) * (1 + 0.0 * spread)


class ClassesPresent(Right):
    """Divides by the number of classes present beyond the first."""

    def forward(self, logits: Logits, labels: Labels) -> Tensor:
        others = (labels.unsqueeze(0) != labels.unsqueeze(1)).sum()
        return good(logits, labels) * (others / others if len(labels) > 1 else 1)


class MeanOfEveryClass(Right):
    """A mean over each class's samples: 0 / 0 for a class without one."""

    def forward(self, logits: Logits, labels: Labels) -> Tensor:
        counts = F.one_hot(labels.clamp(min=0), logits.shape[1]).sum(dim=0)
        inside = 1 < labels.unique().numel() < logits.shape[1]
        return good(logits, labels) * ((counts / counts).mean() if inside else 1)


class SaysPairwise(Right):
    """The log of a mean over the batch is no sum over pairs."""

    coupling = "pairwise_additive"

    def forward(self, logits: Logits, labels: Labels) -> Tensor:
        p = mean_rows(logits, labels)
        return good(logits, labels) + p.square().sum().square()


class SaysPerSample(Right):
    def forward(self, logits: Logits, labels: Labels) -> Tensor:
        return (mean_rows(logits, labels) - 0.5).abs().sum() * (labels >= 0).any()


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


RIGHT: list[skinframe.Loss] = [Right()]
WRONG: dict[str, skinframe.Loss] = {
    "scalar": Unreduced(),
    "pure": Meddler(),
    "sample_order": FirstHeavier(),
    "class_order": FirstClassIsBackground(),
    "shift": RawScores(),
    "masked": CountsTheMasked(),
    "masked_nan": TimesTheMask(),
    "all_masked": NaNWhenEmpty(),
    "finite": NaiveFocal(),
    "upcast": StaysNarrow(),
    "single_sample": Spread(),
    "single_class": ClassesPresent(),
    "empty_class": MeanOfEveryClass(),
    "gradient": HalfGradient(),
    "additive": SaysPerSample(),
    "pairwise": SaysPairwise(),
    "deterministic": Noisy(),
    "descent": Uphill(),
    "resume": Forgetful(),
}
# a value that is NaN for some batches shows wherever a law happens to draw one
COMPARED = {"sample_order", "class_order", "shift", "masked", "masked_nan", "all_masked", "finite", "upcast"}
COMPARED |= {"gradient", "additive", "deterministic", "descent", "resume"}
ALSO = {
    "scalar": set(WRONG),  # nothing can be compared with it
    "sample_order": {"additive", "masked", "masked_nan"},  # taking samples away makes another one the first
    "masked": {"masked_nan"},
    "single_sample": {*COMPARED, "single_class", "empty_class"},
    "single_class": {*COMPARED, "empty_class"},
    "empty_class": {*COMPARED, "single_class"},
    "descent": {"gradient"},  # a gradient that is the value's own goes downhill
    "deterministic": {"resume"},
}
