"""The laws of a loss. Each takes a loss and one drawn case, and asserts."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from skinframe.components import Loss
from skinframe.testing.case import Case, gradients, length, normaliser, sample_dim, value


def close(one: Tensor, other: Tensor, tolerance: float) -> bool:
    """Compare two scalars, relative to their size where it exceeds 1."""
    return bool((one - other).abs() <= tolerance * max(1.0, float(one.detach().abs()), float(other.detach().abs())))


def scalar(loss: Loss, case: Case) -> None:
    """The value is one floating number."""
    result = value(loss, case)
    assert isinstance(result, Tensor), f"forward returned {type(result).__name__}, not a tensor"
    assert result.shape == (), f"forward returned shape {tuple(result.shape)}, not a scalar"
    assert result.is_floating_point()


def deterministic(loss: Loss, case: Case) -> None:
    """Two calls give the same bits, in value and gradient."""
    (one, first), (two, second) = gradients(loss, case), gradients(loss, case)
    assert torch.equal(one, two)
    for name, gradient in first.items():
        other = second[name]
        assert (gradient is None) == (other is None)
        assert gradient is None or other is None or torch.equal(gradient, other), name


def pure(loss: Loss, case: Case) -> None:
    """The inputs are left as they were."""
    before = {name: tensor.clone() for name, tensor in case.tensors.items()}
    value(loss, case)
    for name, tensor in before.items():
        assert torch.equal(torch.nan_to_num(tensor), torch.nan_to_num(case.tensors[name])), f"forward changed '{name}'"


def finite(loss: Loss, case: Case) -> None:
    """Value and gradient are finite at scores of ±1e4, in float32 and bfloat16."""
    spread = case.scores(lambda scores: scores * 500)
    saturated = case.scores(lambda scores: torch.where(scores > 0, 1e4, -1e4).to(scores))
    for extreme in (spread, saturated):
        for dtype in (torch.float32, torch.bfloat16):
            result, found = gradients(loss, extreme.floats(lambda tensor, dtype=dtype: tensor.to(dtype)))  # type: ignore[misc]
            assert torch.isfinite(result), f"{result} in {dtype}"
            for name, gradient in found.items():
                assert gradient is None or torch.isfinite(gradient).all(), f"gradient of '{name}' in {dtype}"


def sample_order(loss: Loss, case: Case) -> None:
    """Permuting the samples changes nothing."""
    order = torch.randperm(length(loss, case), generator=case.random())
    assert close(value(loss, case), value(loss, case.take(sample_dim(loss), order)), 1e-9)


def class_order(loss: Loss, case: Case) -> None:
    """Permuting the classes, with the labels, changes nothing."""
    C = next(t.shape[s.dims.split().index("C")] for s, t in _pairs(case) if "C" in s.dims.split())
    order = torch.randperm(C, generator=case.random())
    moved = case.take("C", order)
    rank = order.argsort()
    moved = moved.each(lambda signal, tensor: rank[tensor] if signal.name == "labels" else tensor)
    assert close(value(loss, case), value(loss, moved), 1e-9)


def shift(loss: Loss, case: Case) -> None:
    """Adding a constant to all scores of a row changes nothing."""
    random = case.random()

    def moved(scores: Tensor) -> Tensor:
        # whole numbers on scores rounded to 2^-16: the sum is exact, so no tie appears or breaks by rounding
        constant = torch.randint(-10_000, 10_001, (*scores.shape[:-1], 1), generator=random)
        return scores + constant.to(scores)

    grid = case.scores(lambda scores: (scores * 65536).round() / 65536)
    assert close(value(loss, grid), value(loss, grid.scores(moved)), 1e-6)


def masked(loss: Loss, case: Case) -> None:
    """A sample whose label is −100 contributes neither value nor gradient."""
    keep = torch.rand(length(loss, case), generator=case.random()) < 0.6
    keep[0] = True
    letter = sample_dim(loss)
    result, found = gradients(loss, _mask(loss, case, keep))
    assert close(result, value(loss, case.take(letter, keep.nonzero().flatten())), 1e-9)
    for name, gradient in found.items():
        if gradient is not None and case.signals[name].dims.split()[:1] == [letter]:
            assert not gradient[~keep].any(), f"a masked sample has a gradient in '{name}'"


def all_masked(loss: Loss, case: Case) -> None:
    """A batch with no valid sample gives 0 with a zero gradient, not NaN."""
    result, found = gradients(loss, _mask(loss, case, torch.zeros(length(loss, case), dtype=torch.bool)))
    assert result == 0, f"all samples masked, and the value is {result}"
    for name, gradient in found.items():
        assert gradient is None or not gradient.any(), f"all samples masked, and '{name}' has a gradient"


def additive(loss: Loss, case: Case) -> None:
    """A `per_sample` loss over a batch is the mean over its parts, weighted by their sizes."""
    n = length(loss, case)
    cut = int(torch.randint(0, n + 1, (), generator=case.random()))
    parts = [index for index in (torch.arange(cut), torch.arange(cut, n)) if len(index)]
    whole = torch.stack([value(loss, case.take(sample_dim(loss), index)) * (len(index) / n) for index in parts]).sum()
    assert close(value(loss, case), whole, 1e-9), f"not the mean over parts of {cut} and {n - cut}: is it 'batch'?"


def gradient(loss: Loss, case: Case) -> None:
    """The gradient is that of the value (`torch.autograd.gradcheck`, float64, away from ties)."""
    smooth = general_position(case)
    names = [name for name, found in gradients(loss, smooth)[1].items() if found is not None]
    assert names, "no gradient reaches any input"
    leaves = [smooth.tensors[name].clone().requires_grad_() for name in names]

    def forward(*tensors: Tensor) -> Any:
        return type(loss)(loss.config).forward(**{**smooth.tensors, **dict(zip(names, tensors, strict=True))})

    good = torch.autograd.gradcheck(forward, leaves, raise_exception=False, fast_mode=True)
    assert good, f"the gradient of {', '.join(names)} is not that of the value"


def descent(loss: Loss, case: Case) -> None:
    """A small step against the gradient lowers the value."""
    smooth = general_position(case)
    start, found = gradients(loss, smooth)
    steps = {name: each for name, each in found.items() if each is not None}
    norm = math.sqrt(sum(float(each.square().sum()) for each in steps.values()))
    if norm < 1e-2:
        return  # too flat to tell
    moved = {name: smooth.tensors[name] - 1e-7 / norm * step for name, step in steps.items()}
    after = value(loss, Case({**smooth.tensors, **moved}, smooth.signals, smooth.seed))
    assert after < start, f"a step of 1e-7 against the gradient moved {start} to {after}"


def resume(loss: Loss, case: Case) -> None:
    """A fresh loss that takes back `state` goes on with the same bits."""
    half = case.take(sample_dim(loss), torch.arange(max(1, length(loss, case) // 2)))
    first = type(loss)(loss.config)
    first.forward(**case.tensors)
    second = type(loss)(loss.config)
    second.load_state({name: tensor.clone() for name, tensor in first.state().items()})
    assert torch.equal(first.forward(**half.tensors), second.forward(**half.tensors)), "state() does not hold it all"


def general_position(case: Case) -> Case:
    """Break ties by a tenth, so that a derivative exists."""
    random = case.random()
    return case.floats(lambda tensor: tensor + 0.1 * torch.randn(tensor.shape, generator=random, dtype=tensor.dtype))


def _pairs(case: Case) -> list[tuple[Any, Tensor]]:
    return [(case.signals[name], tensor) for name, tensor in case.tensors.items()]


def _mask(loss: Loss, case: Case, keep: Tensor) -> Case:
    name = normaliser(loss).name
    return case.each(lambda signal, tensor: torch.where(keep, tensor, -100) if signal.name == name else tensor)
