"""Laws of a loss about masked samples: a negative label, text id or token has no say."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from skinframe.components import Loss
from skinframe.signals import Signal
from skinframe.testing.case import Case, close, gradients, length, normaliser, sample_dim, value


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
        result, found = gradients(loss, nobody.floats(partial(Tensor.to, dtype=dtype)))
        assert result == 0, f"all samples masked, and the value is {result} in {dtype}"
        for name, gradient in found.items():
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
    result, found = gradients(loss, masked)
    expected = value(loss, case.take(letter, keep.nonzero().flatten()))
    assert close(result, expected, 1e-9), f"{result}, and {expected} without the masked samples"
    for name, gradient in found.items():
        if gradient is not None and case.signals[name].dims.split()[:1] == [letter]:
            assert not gradient[~keep].any(), f"a masked sample has a gradient in '{name}'"
