"""Laws on what the value of a loss may depend on. Each takes a loss and one drawn case, and asserts."""

from __future__ import annotations

import torch
from torch import Tensor

from skinframe.components import Loss
from skinframe.testing.loss_case import Case, close, gradients, length, sample_dim, value


def scalar(loss: Loss, case: Case) -> None:
    """The value is one floating number."""
    result = value(loss, case)
    assert isinstance(result, Tensor), f"forward returned {type(result).__name__}, not a tensor"
    assert result.shape == (), f"forward returned shape {tuple(result.shape)}, not a scalar"
    assert result.is_floating_point(), f"forward returned {result.dtype}, not a floating number"


def pure(loss: Loss, case: Case) -> None:
    """`forward` changes neither its inputs nor the term's state, and `commit` no input."""
    before = {name: tensor.clone() for name, tensor in case.tensors.items()}
    own = type(loss)(loss.config)
    own.commit(**case.tensors)
    state = {name: tensor.clone() for name, tensor in own.state().items()}
    own.forward(**case.tensors)
    assert own.state().keys() == state.keys(), "forward changed the state: what it should keep belongs into commit"
    for name, tensor in own.state().items():
        assert torch.equal(tensor, state[name]), f"forward changed '{name}' of the state; change it in commit"
    for name, tensor in before.items():
        assert torch.equal(torch.nan_to_num(tensor), torch.nan_to_num(case.tensors[name])), f"forward changed '{name}'"


def deterministic(loss: Loss, case: Case) -> None:
    """Two calls give the same bits, in value and gradient (I10)."""
    (one, first), (two, second) = gradients(loss, case), gradients(loss, case)
    assert torch.equal(one, two), f"first {one}, then {two}"
    for name, gradient in first.items():
        other = second[name]
        same = gradient is other if gradient is None or other is None else torch.equal(gradient, other)
        assert same, f"the gradient of '{name}' is first {gradient}, then {other}"


def sample_order(loss: Loss, case: Case) -> None:
    """Permuting the samples changes nothing (I1)."""
    order = torch.randperm(length(loss, case), generator=case.random())
    _same(value(loss, case), value(loss, case.take(sample_dim(loss), order)), 1e-9, f"in the order {order.tolist()}")


def class_order(loss: Loss, case: Case) -> None:
    """Permuting the classes, with the labels, changes nothing (I2)."""
    tensors = ((case.signals[name].dims.split(), tensor) for name, tensor in case.tensors.items())
    C = next(tensor.shape[dims.index("C")] for dims, tensor in tensors if "C" in dims)
    order = torch.randperm(C, generator=case.random())
    moved = case.take("C", order)
    rank = order.argsort()
    moved = moved.each(lambda signal, tensor: rank[tensor] if signal.name == "labels" else tensor)
    _same(value(loss, case), value(loss, moved), 1e-9, f"with the classes in the order {order.tolist()}")


def shift(loss: Loss, case: Case) -> None:
    """Adding a constant up to 1e4 to all scores of a row changes nothing (I3)."""
    random = case.random()

    def moved(scores: Tensor) -> Tensor:
        # whole numbers on scores rounded to 2^-16: the sum is exact, so no tie appears or breaks by rounding
        constant = torch.randint(-10_000, 10_001, (*scores.shape[:-1], 1), generator=random)
        return scores + constant.to(scores)

    grid = case.scores(lambda scores: (scores * 65536).round() / 65536)
    _same(value(loss, grid), value(loss, grid.scores(moved)), 1e-6, "after adding a constant to each row")


def additive(loss: Loss, case: Case) -> None:
    """A `per_sample` loss over a batch is the mean over its parts, weighted by their sizes (I8)."""
    n = length(loss, case)
    cut = int(torch.randint(0, n + 1, (), generator=case.random()))
    parts = [index for index in (torch.arange(cut), torch.arange(cut, n)) if len(index)]
    whole = torch.stack([value(loss, case.take(sample_dim(loss), index)) * (len(index) / n) for index in parts]).sum()
    assert close(value(loss, case), whole, 1e-9), f"not the mean over parts of {cut} and {n - cut}: is it 'batch'?"


def pairwise(loss: Loss, case: Case) -> None:
    """A `pairwise_additive` loss is a sum over pairs of samples: three parts follow from the parts two by two (I8)."""
    n = length(loss, case)
    first, two = sorted((torch.randperm(n - 1, generator=case.random())[:2] + 1).tolist())
    a, b, c = torch.arange(first), torch.arange(first, two), torch.arange(two, n)

    def total(*parts: Tensor) -> Tensor:
        index = torch.cat(parts)
        return value(loss, case.take(sample_dim(loss), index)) * len(index)

    pairs = total(a, b) + total(a, c) + total(b, c) - total(a) - total(b) - total(c)
    assert close(total(a, b, c), pairs, 1e-9), f"{total(a, b, c)}, and {pairs} from the pairs: is it 'batch'?"


def _same(first: Tensor, other: Tensor, tolerance: float, how: str) -> None:
    assert close(first, other, tolerance), f"{first}, and {other} {how}"
