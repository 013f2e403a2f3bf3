"""Laws of a loss at the edges: extreme scores, narrow numbers, tiny and lopsided batches."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from skinframe.components import Loss
from skinframe.testing.case import LOGITS, Case, close, gradients, sample_dim, value

DTYPES = (torch.float64, torch.float32, torch.bfloat16)


def finite(loss: Loss, case: Case) -> None:
    """Value and gradient are finite at scores of ±1e4, in float64, float32 and bfloat16 (I5)."""
    spread = case.scores(lambda scores: scores * 500, LOGITS)
    for dtype in DTYPES:
        _is_finite(loss, _narrow(spread, dtype), f"in {dtype}")
        _is_finite(loss, _narrow(_saturated(case), dtype), f"in {dtype}")


def upcast(loss: Loss, case: Case) -> None:
    """bfloat16 inputs are computed in float32: the value is that of the same numbers written in float32 (I5)."""
    narrow = _narrow(case, torch.bfloat16)
    one, other = value(loss, narrow), value(loss, _narrow(narrow, torch.float32))
    assert one.dtype == torch.float32, f"bfloat16 inputs give a value in {one.dtype}"
    assert close(one, other, 1e-5), f"{one} from bfloat16, {other} from the same numbers in float32"


def single_sample(loss: Loss, case: Case) -> None:
    """A batch of one sample gives a finite value and gradient, at scores of ±1e4 too and in every precision (I5)."""
    _finite_at_all(loss, case.take(sample_dim(loss), torch.arange(1)), "for a single sample")


def single_class(loss: Loss, case: Case) -> None:
    """A batch whose samples all have one label gives a finite value and gradient, likewise (I5)."""
    _finite_at_all(loss, _relabelled(case, lambda labels: labels[:1].expand_as(labels)), "for a single class")


def empty_class(loss: Loss, case: Case) -> None:
    """A batch in which a class has no sample gives a finite value and gradient, likewise (I5)."""
    _finite_at_all(loss, _relabelled(case, lambda labels: labels.clamp(min=1)), "where class 0 has no sample")


def _finite_at_all(loss: Loss, case: Case, where: str) -> None:
    _is_finite(loss, case, where)
    for dtype in DTYPES:
        _is_finite(loss, _narrow(_saturated(case), dtype), f"{where} at scores of ±1e4 in {dtype}")


def _saturated(case: Case) -> Case:
    return case.scores(lambda scores: torch.where(scores > 0, 1e4, -1e4).to(scores), LOGITS)


def _narrow(case: Case, dtype: torch.dtype) -> Case:
    return case.floats(lambda tensor: tensor.to(dtype))


def _relabelled(case: Case, change: Callable[[Tensor], Tensor]) -> Case:
    return case.each(lambda signal, tensor: change(tensor) if signal.name == "labels" else tensor)


def _is_finite(loss: Loss, case: Case, where: str) -> None:
    result, found = gradients(loss, case)
    assert torch.isfinite(result), f"the value is {result} {where}"
    for name, gradient in found.items():
        assert gradient is None or torch.isfinite(gradient).all(), f"the gradient of '{name}' is not finite {where}"
