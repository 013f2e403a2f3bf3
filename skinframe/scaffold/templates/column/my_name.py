from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import skinframe
from skinframe.signals import Signal

if TYPE_CHECKING:
    import torch

MY_NAME = Signal("my_name", "B", "1 where the patient has more than one image, else 0")
Repeated = Annotated["torch.Tensor", MY_NAME]  # a loss reads it: `forward(self, …, repeated: Repeated)`


class MyName(skinframe.Column):
    """Whether a sample's patient has more than one image [B]."""

    signal = MY_NAME
    readable_by = "terms"  # "model": heads and the reasoner may read it too, so the answer must not be in it

    def bind(self, context: skinframe.ColumnContext) -> "Callable[[Sequence[int], Sequence[int], int], torch.Tensor]":
        import torch

        groups = [sample.group for sample in context.samples]
        repeated = torch.tensor([float(groups.count(group) > 1) for group in groups])
        return lambda rows, views, epoch: repeated[list(rows)]


@skinframe.hookimpl
def register_columns() -> list[type[skinframe.Column]]:
    return [MyName]
