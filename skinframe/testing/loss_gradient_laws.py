"""Laws of a loss about learning: its gradient, a descent step, and resuming from its state."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from skinframe.components import Loss
from skinframe.signals import Signal
from skinframe.testing.loss_case import COUNTED, Case, gradients, length, sample_dim, value


def gradient(loss: Loss, case: Case) -> None:
    """The gradient is that of the value (`torch.autograd.gradcheck`, float64, away from ties) (I6)."""
    smooth = general_position(case, loss.normalise_by)
    names = [name for name, gradient in gradients(loss, smooth)[1].items() if gradient is not None]
    assert names, "no gradient reaches any input"
    leaves = [smooth.tensors[name].clone().requires_grad_() for name in names]

    def forward(*tensors: Tensor) -> Any:
        return type(loss)(loss.config).forward(**{**smooth.tensors, **dict(zip(names, tensors, strict=True))})

    good = torch.autograd.gradcheck(forward, leaves, raise_exception=False, fast_mode=True)
    assert good, f"the gradient of {', '.join(names)} is not that of the value"


def descent(loss: Loss, case: Case) -> None:
    """A small step against the gradient lowers the value (I12)."""
    smooth = general_position(case, loss.normalise_by)
    start, grads = gradients(loss, smooth)
    steps = {name: each for name, each in grads.items() if each is not None}
    norm = math.sqrt(sum(float(each.square().sum()) for each in steps.values()))
    if norm < 1e-2:
        return  # too flat to tell
    moved = {name: smooth.tensors[name] - 1e-7 / norm * step for name, step in steps.items()}
    after = value(loss, Case({**smooth.tensors, **moved}, smooth.signals, smooth.seed))
    assert after < start, f"a step of 1e-7 against the gradient moved {start} to {after}"


def resume(loss: Loss, case: Case) -> None:
    """A fresh loss restored from `state` continues with the same bits."""
    half = case.take(sample_dim(loss), torch.arange(max(1, length(loss, case) // 2)))
    first = type(loss)(loss.config)
    first.forward(**case.tensors)
    first.commit(**case.tensors)
    second = type(loss)(loss.config)
    second.load_state({name: tensor.clone() for name, tensor in first.state().items()})
    assert torch.equal(first.forward(**half.tensors), second.forward(**half.tensors)), "state() does not hold it all"


def general_position(case: Case, counted: str = "") -> Case:
    """Break ties of what a model gives by a tenth, so that a derivative exists."""
    random = case.random()

    def moved(signal: Signal, tensor: Tensor) -> Tensor:
        if signal.name in (*COUNTED, counted) or not tensor.is_floating_point():
            return tensor
        return tensor + 0.1 * torch.randn(tensor.shape, generator=random, dtype=tensor.dtype)

    return case.each(moved)
