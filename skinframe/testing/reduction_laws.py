"""The laws of a pure function of samples that takes a `reduction`. Each takes it and one drawn call, and asserts."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
import torch
from hypothesis import strategies as st
from torch import Tensor

from skinframe.components import Component
from skinframe.testing.contract_decorators import contract
from skinframe.testing.law_and_check import Law, Suite
from skinframe.testing.signal_strategies import tensors


class Reducing(Component):
    """A function of logits [B, C] and labels [B] with `reduction` and mostly `weights` [B], under a name."""

    kind = "function"

    def __init__(self, name: str, function: Callable[..., Tensor]) -> None:
        super().__init__()
        self.name = name  # type: ignore[misc]  # a function has no class to hold it
        self.function = function
        self.weighted = "weights" in inspect.signature(function).parameters


@dataclass(frozen=True)
class Call:
    """Logits [B, C], labels [B] of which some are masked, and weights [B]."""

    logits: Tensor
    labels: Tensor
    weights: Tensor


def reductions(reducing: Reducing, call: Call) -> None:
    """`sum` adds `none`, `mean` divides it by the valid samples, `weighted_mean` by their weights (I7)."""
    each, valid = _value(reducing, call, "none"), call.labels >= 0
    assert each.shape == call.labels.shape, f"'none' has shape {tuple(each.shape)}, not {tuple(call.labels.shape)}"
    total = each[valid].sum()
    _same(_value(reducing, call, "sum"), total, "sum")
    _same(_value(reducing, call, "mean"), total / valid.sum(), "mean")
    scale = call.weights if reducing.weighted else torch.ones_like(call.weights)
    _same(_value(reducing, call, "weighted_mean"), total / scale[valid].sum(), "weighted_mean")


def scaling(reducing: Reducing, call: Call) -> None:
    """Weights of λ times as much give λ times the value, and the same weighted mean (I11)."""
    heavier = replace(call, weights=2.5 * call.weights)
    for reduction, factor in (("sum", 2.5), ("mean", 2.5), ("weighted_mean", 1.0)):
        scaled = _value(reducing, heavier, reduction)
        _same(scaled, factor * _value(reducing, call, reduction), f"{reduction} with weights of 2.5 times as much")


def order(reducing: Reducing, call: Call) -> None:
    """Permuting the samples permutes `none` (I1)."""
    turned = Call(call.logits.flip(0), call.labels.flip(0), call.weights.flip(0))
    first, two = _value(reducing, turned, "none"), _value(reducing, call, "none").flip(0)
    assert torch.allclose(first, two, rtol=0, atol=1e-12), f"{first}, not {two}"


def reduction_contract(**functions: Callable[..., Tensor]) -> pytest.MarkDecorator:
    """Parametrise a test over `function` and `check`, for functions (logits, labels, [weights,] reduction).

    Options of a function are bound before: `focal=partial(focal, gamma=2.0)`.
    """
    laws = (Law(reductions), Law(scaling, applies=lambda reducing: reducing.weighted), Law(order))
    suite = Suite("function", laws, lambda function, law: _calls(), 15)
    return contract(suite, [Reducing(name, function) for name, function in functions.items()], None)


def _calls() -> st.SearchStrategy[Call]:
    @st.composite
    def build(draw: st.DrawFn) -> Call:
        B, C = draw(st.integers(1, 6)), draw(st.integers(2, 4))
        labels = draw(st.lists(st.sampled_from([-100, *range(C)]), min_size=B, max_size=B))
        labels[0] = max(labels[0], 0)
        scores, weights = draw(tensors((B, C), -20, 20)), draw(tensors((B,), 0.1, 3))
        return Call(scores, torch.tensor(labels), weights)

    return build()


def _value(reducing: Reducing, call: Call, reduction: str) -> Tensor:
    more = {"weights": call.weights} if reducing.weighted else {}
    return reducing.function(call.logits, call.labels, reduction=reduction, **more)


def _same(first: Tensor, other: Tensor, what: str) -> None:
    assert torch.allclose(first, other, rtol=1e-12, atol=1e-12), f"{what} is {first}, not {other}"
