"""One deliberately wrong head for each check of the contract kit."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

import skinframe


class Layer(nn.Module):
    """One linear layer from `hidden` to `logits`."""

    def __init__(self, width, classes):
        super().__init__()
        self.layer = nn.Linear(width, classes)

    def forward(self, signals):
        return {"logits": self.layer(signals["hidden"])}


class Right(skinframe.Head):
    """Passes every check."""

    name = "right"
    module = Layer

    @dataclass(frozen=True, kw_only=True)
    class Config:
        pass

    def needs(self):
        return ("hidden",)

    def provides(self):
        return ("logits",)

    def build(self, context):
        return self.module(context.shapes["hidden"][-1], len(context.classes))


class OwnDice(Layer):
    """Draws its weights from the machine's entropy."""

    def __init__(self, width, classes):
        super().__init__(width, classes)
        random = torch.Generator()
        random.seed()
        nn.init.normal_(self.layer.weight, generator=random)


class Narrow(Layer):
    def forward(self, signals):
        return {"logits": super().forward(signals)["logits"].bfloat16()}


class ReadsLabels(Right):
    def needs(self):
        return ("hidden", "labels")


class Idle(Layer):
    """Holds a parameter that nothing reads."""

    def __init__(self, width, classes):
        super().__init__(width, classes)
        self.scale = nn.Parameter(torch.ones(()))


class Standardised(Layer):
    """Standardises over the batch, also when it does not train."""

    def forward(self, signals):
        state = signals["hidden"]
        return {"logits": self.layer(state - state.mean(dim=0))}


class Half(Layer):
    def __init__(self, width, classes):
        super().__init__(width, classes)
        self.narrow = nn.Parameter(torch.zeros(classes, dtype=torch.float16))

    def forward(self, signals):
        return {"logits": super().forward(signals)["logits"] + self.narrow.float()}


class Counts(Layer):
    """Keeps a random shift outside its state."""

    def __init__(self, width, classes):
        super().__init__(width, classes)
        self.shift = torch.randn(classes)

    def forward(self, signals):
        return {"logits": super().forward(signals)["logits"] + self.shift}


def _with(module):
    return type(f"With{module.__name__}", (Right,), {"module": module})()


RIGHT = [Right()]
WRONG = {
    "built": _with(OwnDice),
    "declared": _with(Narrow),
    "label_free": ReadsLabels(),
    "gradient": _with(Idle),
    "alone": _with(Standardised),
    "plain": _with(Half),
    "saved": _with(Counts),
}
ALSO: dict[str, set[str]] = {}
