from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import skinframe
from skinframe.signals import Signal

if TYPE_CHECKING:
    import torch

SIGNAL = Signal("my_name", "B", "weight of the sample: below 1 where its patient has many images, mean 1 in training")
MyNameSignal = Annotated["torch.Tensor", SIGNAL]  # a loss reads it: `forward(self, …, my_name: MyNameSignal)`


class MyName(skinframe.Column):
    """Weight of a sample from the number n of its patient's images, n^−a over its mean in training [B]."""

    signal = SIGNAL
    available = "always"  # the default; "training": new images do not have it
    readable_by = "terms"  # the default; "model": heads and the reasoner may read it, so the answer must not be in it

    @dataclass(frozen=True, kw_only=True)
    class Config:
        strength: float = 1.0  # a; 0 weighs all images the same, 1 all patients

        def __post_init__(self) -> None:
            if self.strength < 0:
                raise ValueError(f"strength must not be negative, got {self.strength}")

    def bind(self, context: skinframe.ColumnContext) -> "Callable[[Sequence[int], Sequence[int], int], torch.Tensor]":
        import torch

        groups = [sample.group for sample in context.samples]
        weights = torch.tensor([groups.count(group) ** -self.config.strength for group in groups])
        weights = weights / weights[list(context.split.train)].mean()
        return lambda rows, views, epoch: weights[list(rows)]


@skinframe.hookimpl
def register_columns() -> list[type[skinframe.Column]]:
    return [MyName]
