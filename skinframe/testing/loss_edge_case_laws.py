"""Laws of a loss at edge cases: masked samples, extreme scores, low precision, tiny and imbalanced batches."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from skinframe.components import Loss
from skinframe.signals import Signal
from skinframe.testing.loss_case import LOGITS, Case, close, gradients, length, normaliser, sample_dim, value


def masked(loss: Loss, case: Case) -> None:
    """A sample whose label is −100 contributes neither value nor gradient (I4)."""
    keep = _kept(loss, case)
    _without_say(loss, case, _mask(loss, case, keep), keep)


def masked_nan(loss: Loss, case: Case) -> None:
    """NaN behind the mask reaches neither value nor gradient (I4)."""
    keep = _kept(loss, case)
    letter = sample_dim(loss)

    def behind(signal: Signal) -> bool:
        return signal.dims.split()[:1] == [letter] and signal.kind == "float"

    _without_say(loss, case, _spoil(_mask(loss, case, keep), keep, behind, torch.nan), keep)


def all_masked(loss: Loss, case: Case) -> None:
    """A batch with no valid sample gives 0 with a zero gradient, not NaN, in every precision (I4)."""
    nobody = _mask(loss, case, torch.zeros(length(loss, case), dtype=torch.bool))
    for dtype in (torch.float64, torch.float32, torch.bfloat16):
        result, grads = gradients(loss, nobody.floats(partial(Tensor.to, dtype=dtype)))
        assert result == 0, f"all samples masked, and the value is {result} in {dtype}"
        for name, gradient in grads.items():
            assert gradient is None or not gradient.any(), f"all samples masked, and '{name}' has a gradient in {dtype}"


def _mask(loss: Loss, case: Case, keep: Tensor) -> Case:
    """Mask the samples that are not kept: a negative label, or a row of nothing but NaN."""
    counted = normaliser(loss)
    return _spoil(case, keep, lambda signal: signal.name == counted.name, torch.nan if counted.kind != "int" else -100)


def _spoil(case: Case, keep: Tensor, which: Callable[[Signal], bool], by: float) -> Case:
    def change(signal: Signal, tensor: Tensor) -> Tensor:
        return torch.where(keep.reshape(-1, *[1] * (tensor.ndim - 1)), tensor, by) if which(signal) else tensor

    return case.each(change)


def _kept(loss: Loss, case: Case) -> Tensor:
    keep = torch.rand(length(loss, case), generator=case.random()) < 0.6
    keep[0] = True
    return keep


def _without_say(loss: Loss, case: Case, masked: Case, keep: Tensor) -> None:
    letter = sample_dim(loss)
    result, grads = gradients(loss, masked)
    expected = value(loss, case.take(letter, keep.nonzero().flatten()))
    assert close(result, expected, 1e-9), f"{result}, and {expected} without the masked samples"
    for name, gradient in grads.items():
        if gradient is not None and case.signals[name].dims.split()[:1] == [letter]:
            assert not gradient[~keep].any(), f"a masked sample has a gradient in '{name}'"


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
    first, other = value(loss, narrow), value(loss, _narrow(narrow, torch.float32))
    assert first.dtype == torch.float32, f"bfloat16 inputs give a value in {first.dtype}"
    assert close(first, other, 1e-5), f"{first} from bfloat16, {other} from the same numbers in float32"


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
    result, grads = gradients(loss, case)
    assert torch.isfinite(result), f"the value is {result} {where}"
    for name, gradient in grads.items():
        assert gradient is None or torch.isfinite(gradient).all(), f"the gradient of '{name}' is not finite {where}"
