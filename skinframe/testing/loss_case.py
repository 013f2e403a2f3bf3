"""Drawn inputs of a loss, and the changes that its laws make to them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Mapping
from dataclasses import dataclass, replace

import torch
from hypothesis import strategies as st
from torch import Tensor

from skinframe.components import Loss
from skinframe.data.columns import COLUMNS
from skinframe.signals import STANDARD, Signal, needs
from skinframe.testing.signal_strategies import Maker, maker, sizes

SCORES = frozenset({"logits", "image_logits", "rationale_logits"})  # read through a softmax over their last dim
LOGITS = SCORES | {"attribute_logits"}  # whatever a model may drive as far as it likes
# the columns that may count the terms of a loss
COUNTED = {column.signal.name: column.signal for column in COLUMNS if column.counts_terms}


@dataclass(frozen=True, repr=False)
class Case:
    """The signals of one call, by parameter name."""

    tensors: dict[str, Tensor]
    signals: dict[str, Signal]
    seed: int  # for a law that needs draws of its own

    def each(self, change: Callable[[Signal, Tensor], Tensor]) -> Case:
        """Return the case with every tensor changed."""
        return replace(self, tensors={name: change(self.signals[name], value) for name, value in self.tensors.items()})

    def floats(self, change: Callable[[Tensor], Tensor]) -> Case:
        """Return the case with every floating tensor changed."""
        return self.each(lambda _, value: change(value) if value.is_floating_point() else value)

    def scores(self, change: Callable[[Tensor], Tensor], names: Container[str] = SCORES) -> Case:
        """Return the case with the scores before a softmax changed, or the signals of other `names`."""
        return self.each(lambda signal, value: change(value) if signal.name in names else value)

    def take(self, letter: str, index: Tensor) -> Case:
        """Return the case with `index` selected along every dim of that letter."""

        def change(signal: Signal, value: Tensor) -> Tensor:
            for dim, name in enumerate(signal.dims.split()):
                value = value.index_select(dim, index) if name == letter else value
            return value

        return self.each(change)

    def __repr__(self) -> str:
        rows = [f"{name} [{self.signals[name].dims}] = {tensor.tolist()}" for name, tensor in self.tensors.items()]
        rows += [f"{name} left out" for name in self.signals if name not in self.tensors]
        return "\n".join([f"one call, seed {self.seed}", *(f"  {row}" for row in rows)])

    def random(self) -> torch.Generator:
        return torch.Generator().manual_seed(self.seed)


def normaliser(loss: Loss) -> Signal:
    """Return the signal that counts the loss's terms: an engine's column, or one of a plugin's that the loss reads.

    Raises AssertionError where it is neither.
    """
    own = {need.signal.name: need.signal for need in needs(type(loss).forward) if need.signal.name not in STANDARD}
    known = {**own, **COUNTED}
    assert loss.normalise_by in known, f"normalise_by is '{loss.normalise_by}', not one of {', '.join(COUNTED)}"
    return known[loss.normalise_by]


def sample_dim(loss: Loss) -> str:
    """Return the dim letter that counts the loss's terms, `B` for most. Raises AssertionError where it reads none."""
    letter = normaliser(loss).dims.split()[0]
    dims = {name for need in needs(type(loss).forward) for name in need.signal.dims.split()}
    assert letter in dims, f"normalise_by is '{loss.normalise_by}', but no signal of forward has the dim {letter}"
    return letter


def length(loss: Loss, case: Case) -> int:
    """Return the number of terms in a case."""
    letter = sample_dim(loss)
    pairs = ((case.signals[name].dims.split(), tensor) for name, tensor in case.tensors.items())
    return next(tensor.shape[dims.index(letter)] for dims, tensor in pairs if letter in dims)


def close(first: Tensor, other: Tensor, tolerance: float) -> bool:
    """Compare two scalars, relative to their size where it exceeds 1."""
    return bool((first - other).abs() <= tolerance * max(1.0, float(first.detach().abs()), float(other.detach().abs())))


def optional_inputs(loss: Loss) -> list[str]:
    """Return the parameters that a recipe may have no signal for; what counts the loss's terms is always there."""
    every = needs(type(loss).forward)
    return [need.parameter for need in every if need.optional and need.signal.name != loss.normalise_by]


def cases(loss: Loss, own: Mapping[str, Maker], least: int, left_out: Collection[str] = ()) -> st.SearchStrategy[Case]:
    """Draw inputs for a loss from its signature, with at least `least` terms, and without the parameters `left_out`.

    Where the loss's options need one of these, which it says by a ValueError with the name, all inputs are given.
    """
    signals = {need.parameter: need.signal for need in needs(type(loss).forward)}
    letters = {letter for signal in signals.values() for letter in signal.dims.split()}

    @st.composite
    def build(draw: st.DrawFn) -> Case:
        size = draw(sizes(letters, {sample_dim(loss): least}))
        shapes = {name: tuple(size[letter] for letter in signal.dims.split()) for name, signal in signals.items()}
        drawn = {name: draw(maker(signal, own)(shapes[name], size)) for name, signal in signals.items()}
        case = Case(drawn, signals, draw(st.integers(0, 2**32 - 1)))
        return _without(loss, case, left_out) if left_out else case

    return build()


def _without(loss: Loss, case: Case, left_out: Collection[str]) -> Case:
    fewer = replace(case, tensors={name: each for name, each in case.tensors.items() if name not in left_out})
    try:
        value(loss, fewer)
    except ValueError as refusal:
        return case if any(name in str(refusal) for name in left_out) else fewer
    except Exception:  # for the law to find, with its counter-example
        return fewer
    return fewer


def value(loss: Loss, case: Case) -> Tensor:
    """Call a loss freshly built from its options, so that no call sees another's state."""
    return type(loss)(loss.config).forward(**case.tensors)


def gradients(loss: Loss, case: Case) -> tuple[Tensor, dict[str, Tensor | None]]:
    """Return the value and its gradient by parameter; None where the loss does not differentiate a tensor."""
    leaves = case.floats(lambda tensor: tensor.detach().clone().requires_grad_())
    result = value(loss, leaves)
    names = [name for name, tensor in leaves.tensors.items() if tensor.requires_grad]
    grads = torch.autograd.grad(result, [leaves.tensors[name] for name in names], allow_unused=True)
    return result.detach(), dict(zip(names, grads, strict=True))
