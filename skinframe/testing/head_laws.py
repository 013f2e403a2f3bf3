"""The laws of a head. Each takes a head and drawn signals for it to read, and asserts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from hypothesis import strategies as st
from torch import Tensor, nn

from skinframe.components import BuildContext, Head
from skinframe.components.base import Shape
from skinframe.testing.law_and_check import Law, Suite
from skinframe.testing.signal_strategies import SIGNALS

SUPERVISION = frozenset({"labels", "class_counts", "attributes", "text_ids", "rationale_targets"})
FOREIGN = ("bitsandbytes", "peft")  # quantised and adapter layers belong to the reasoner


@dataclass(frozen=True, repr=False)
class HeadInput:
    """What a head is built from and reads: the context, and signals [B, ...] by the names in `needs`."""

    context: BuildContext
    signals: Mapping[str, Tensor]

    def __repr__(self) -> str:
        shapes = ", ".join(f"{name} {list(tensor.shape)}" for name, tensor in self.signals.items())
        return f"{len(self.context.classes)} classes, seed {self.context.seed}, reads {shapes}"


def built(head: Head, given: HeadInput) -> None:
    """The seed decides the weights: two builds from the engine's own random state have the same bits."""
    first, two = (_build(head, given).state_dict() for _ in range(2))
    assert first.keys() == two.keys(), "two builds have different parameters"
    for name in first:
        assert torch.equal(first[name], two[name]), f"'{name}' differs between two builds from one seed"


def declared(head: Head, given: HeadInput) -> None:
    """`forward` gives exactly what `provides` says, in the dims of its signal, float32 and finite."""
    outputs = _build(head, given)(dict(given.signals))
    assert set(outputs) == set(head.provides()), f"gives {sorted(outputs)}, provides {sorted(head.provides())}"
    B = len(next(iter(given.signals.values())))
    sizes = {"B": B, "C": len(given.context.classes), "A": len(given.context.attributes)}
    for name, tensor in outputs.items():
        assert tensor.dtype == torch.float32, f"'{name}' is {tensor.dtype}, not float32"
        assert torch.isfinite(tensor).all(), f"'{name}' is not finite"
        if name in SIGNALS:
            dims = SIGNALS[name].dims.split()
            right = len(dims) == tensor.ndim and all(
                sizes.get(d, n) == n for d, n in zip(dims, tensor.shape, strict=False)
            )
            assert right, f"'{name}' has shape {list(tensor.shape)}, and its dims are [{SIGNALS[name].dims}]"


def label_free(head: Head, given: HeadInput) -> None:
    """It reads nothing that says the answer: no labels, counts, attributes or targets."""
    read = SUPERVISION & {need.rpartition(".")[2] for need in head.needs()}
    assert not read, f"needs names {', '.join(sorted(read))}"


def gradient(head: Head, given: HeadInput) -> None:
    """A gradient reaches every trained parameter."""
    module = _build(head, given)
    reaches(module, module(dict(given.signals)), torch.Generator().manual_seed(given.context.seed))


def alone(head: Head, given: HeadInput) -> None:
    """What it gives of a sample does not depend on the others or their order, when it is not training."""
    module = _build(head, given).eval()
    B = len(next(iter(given.signals.values())))
    order = torch.arange(B).flip(0)
    with torch.no_grad():
        whole = module(dict(given.signals))
        turned = module({name: tensor[order] for name, tensor in given.signals.items()})
        single = module({name: tensor[:1] for name, tensor in given.signals.items()})
    for name, tensor in whole.items():
        if _batched(name, tensor, B):
            assert torch.allclose(turned[name], tensor[order], atol=1e-5), f"'{name}' depends on the order"
            assert torch.allclose(single[name][0], tensor[0], atol=1e-5), f"'{name}' of a sample changes in company"


def plain(head: Head, given: HeadInput) -> None:
    """It is trained whole and in float32: no quantised layer and no adapter, which belong to the reasoner."""
    module = _build(head, given)
    for name, layer in module.named_modules():
        origin = type(layer).__module__
        assert not origin.startswith(FOREIGN), f"layer '{name}' is {origin}.{type(layer).__name__}"
    for name, parameter in module.named_parameters():
        assert parameter.dtype == torch.float32, f"'{name}' is {parameter.dtype}, not float32"


def saved(head: Head, given: HeadInput) -> None:
    """A head restored from its state dict continues with the same bits."""
    one, two = _build(head, given).eval(), _build(head, given, seed=1).eval()
    two.load_state_dict(one.state_dict())
    with torch.no_grad():
        first, second = one(dict(given.signals)), two(dict(given.signals))
    for name in first:
        assert torch.equal(first[name], second[name]), f"'{name}' differs after the state was taken back"


LAWS = (built, declared, label_free, gradient, alone, plain, saved)


def head_suite(shapes: Mapping[str, Shape] | None = None, examples: int = 5) -> Suite:
    """Return the suite of a head; `shapes` gives, without the batch dim, signals that the kit does not know."""
    return Suite("head", tuple(map(Law, LAWS)), lambda head, law: head_inputs(head, shapes or {}), examples)


def head_inputs(head: Head, shapes: Mapping[str, Shape]) -> st.SearchStrategy[HeadInput]:
    """Draw 2 to 4 samples, 2 to 5 classes and a width from 2 to 8 for each dim that the head reads."""

    @st.composite
    def build(draw: st.DrawFn) -> HeadInput:
        B, C, seed = draw(st.integers(2, 4)), draw(st.integers(2, 5)), draw(st.integers(0, 2**31))
        read_shapes: dict[str, Shape] = {}
        for need in head.needs():
            dims = _dims(need, shapes)
            read_shapes[need] = tuple(each if isinstance(each, int) else draw(st.integers(2, 8)) for each in dims)
        random = torch.Generator().manual_seed(seed)
        tensors = {need: torch.randn(B, *shape, generator=random) for need, shape in read_shapes.items()}
        classes = tuple(f"class {number}" for number in range(C))
        attributes = tuple(f"attribute {number}" for number in range(draw(st.integers(1, 3))))
        return HeadInput(BuildContext(classes=classes, attributes=attributes, shapes=read_shapes, seed=seed), tensors)

    return build()


def reaches(module: nn.Module, outputs: Mapping[str, Tensor], random: torch.Generator) -> None:
    """Assert that a random reading of the outputs has a gradient in every trained parameter."""
    readings = [(each * torch.randn(each.shape, generator=random)).sum() for each in outputs.values()]
    torch.autograd.backward(readings)
    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, f"no gradient reaches '{name}'"
            assert parameter.grad.any(), f"the gradient of '{name}' is zero"


def _dims(need: str, shapes: Mapping[str, Shape]) -> tuple[int | str, ...]:
    if need in shapes:
        return shapes[need]
    bare = need.rpartition(".")[2]
    assert bare in SIGNALS, f"the kit knows no signal '{bare}'; give its shape without the batch dim in `shapes`"
    return tuple(letter for letter in SIGNALS[bare].dims.split() if letter != "B")


def _build(head: Head, given: HeadInput, seed: int = 0) -> nn.Module:
    """Build as the engine does: from a random state of the head's own."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(given.context.seed + seed)
        return head.build(given.context)


def _batched(name: str, tensor: Tensor, B: int) -> bool:
    return SIGNALS[name].dims.split()[:1] == ["B"] if name in SIGNALS else tensor.ndim > 0 and len(tensor) == B
