"""One deliberately wrong column for each check of the contract kit."""

from __future__ import annotations

import itertools

import torch

import skinframe
from skinframe.signals import Signal

COUNTER = itertools.count()


class Right(skinframe.Column):
    """The age in decades as a model may read it; passes every check."""

    signal = Signal("decade", "B", "age in decades")
    readable_by = "model"

    def bind(self, context):
        ages = torch.tensor([sample.metadata["age"] / 10 for sample in context.samples])
        return lambda rows, views, epoch: ages[list(rows)]


class TwoColumns(Right):
    def bind(self, context):
        get = super().bind(context)
        return lambda rows, views, epoch: get(rows, views, epoch).expand(2, -1)


class Counting(Right):
    def bind(self, context):
        get, count = super().bind(context), next(COUNTER)
        return lambda rows, views, epoch: get(rows, views, epoch) + count


class Centred(Right):
    """Less the mean of the batch."""

    def bind(self, context):
        get = super().bind(context)
        return lambda rows, views, epoch: get(rows, views, epoch) - get(rows, views, epoch).mean()


class ReadsTheLabel(Right):
    def bind(self, context):
        labels = torch.tensor([float(sample.label) for sample in context.samples])
        return lambda rows, views, epoch: labels[list(rows)]


class Seeding(Right):
    """Draws from torch's own random state, after it has set it."""

    def bind(self, context):
        get = super().bind(context)

        def drawn(rows, views, epoch):
            torch.manual_seed(context.seed)
            return get(rows, views, epoch)

        return drawn


RIGHT = [Right()]
WRONG = {
    "declared": TwoColumns(),
    "deterministic": Counting(),
    "alone": Centred(),
    "label_free": ReadsTheLabel(),
    "quiet": Seeding(),
}
ALSO = {
    "declared": {"alone"},  # its rows are no rows
    "deterministic": {"label_free"},  # two calls differ whatever the labels
}
