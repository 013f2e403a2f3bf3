"""Estimated cost of a run from shapes and the meta device: parameters, memory, cache, checkpoint, FLOPs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from skinframe.components import BuildContext, ModuleRow, Shape
from skinframe.errors import Problem, RecipeError
from skinframe.planning.address import REASONER, Address, column
from skinframe.planning.plan import Plan

if TYPE_CHECKING:
    from torch import nn

ADAM_BYTES = 12  # fp32 gradient and two fp32 moments beside each trained fp32 parameter
ACTIVATION_BYTES_PER_TOKEN = 6.6e6  # estimate for the 7B language model without checkpointing; scaled by its size
REFERENCE_PARAMETERS = 7.07e9


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Bytes unless said otherwise. `images` is None where the data is not on this machine."""

    rows: tuple[ModuleRow, ...]
    images: int | None
    cache_per_image: int
    checkpoint: int
    memory: float
    flops_per_sample: float

    def parameters(self, *roles: str) -> int:
        return sum(row.parameters for row in self.rows if row.role in roles)


def sizes(plan: Plan) -> Sizes:
    """Count everything. Imports torch (meta device only); reads no weights."""
    rows = module_rows(plan)
    trained = sum(row.parameters for row in rows if row.role in ("lora", "trained"))
    language = sum(row.parameters for row in rows if row.per_token)
    resident = sum(row.bytes for row in rows)
    activations = ACTIVATION_BYTES_PER_TOKEN * plan.recipe.train.max_tokens * language / REFERENCE_PARAMETERS
    width = 2 * plan.recipe.views  # the cache stores float16
    per_image = sum(math.prod(shape) for address, shape in encoder_shapes(plan).items() if _is_cached(plan, address))
    return Sizes(
        rows=tuple(rows),
        images=None if any(r.kind == "data" for r in plan.missing) else len(plan.parts.dataset.samples()),
        cache_per_image=per_image * width,
        checkpoint=trained * (4 + 8),
        memory=resident + trained * ADAM_BYTES + activations,
        flops_per_sample=sum(row.flops_per_sample for row in [*rows[len(encoder_rows(plan)) :], *_every_step(plan)]),
    )


def _is_cached(plan: Plan, address: Address) -> bool:
    """Say whether a signal is an image feature that the cache keeps; descriptions are few and kept in memory."""
    encoder = plan.encoders[address.instance]
    return encoder.mode == "cached" and address.signal not in encoder.text_signals()


def _every_step(plan: Plan) -> list[ModuleRow]:
    """Return the rows of the encoders that run at every step; a cached one runs once per view."""
    return [row for encoder in plan.encoders.values() if encoder.mode != "cached" for row in encoder.modules()]


def encoder_shapes(plan: Plan) -> dict[Address, Shape]:
    """Return the full name and shape of every encoder signal that the plan uses."""
    encoders = plan.encoders.items()
    shapes = {Address(name, signal): shape for name, each in encoders for signal, shape in each.provides().items()}
    return {address: shape for address, shape in shapes.items() if address in plan.graph.used}


def signal_shapes(plan: Plan) -> dict[str, Shape]:
    """Return the shapes that heads and the reasoner are built from: of encoders, reasoner and metadata."""
    shapes: dict[str, Shape] = {}
    for address, shape in encoder_shapes(plan).items():
        shapes[address] = shape
    if plan.metadata_fields is not None:
        shapes[column("metadata")] = (sum(len(field.columns) for field in plan.metadata_fields),)
    if plan.uses_reasoner and plan.parts.reasoner is not None:
        shapes |= {Address(REASONER, signal): shape for signal, shape in plan.parts.reasoner.provides().items()}
    return shapes


def head_context(plan: Plan, name: str, seed: int, device: str) -> BuildContext:
    """Return what a head is built from; its signals go by bare name."""
    shapes = {**signal_shapes(plan), **_head_shapes(plan)}
    fed = {role: shapes[address] for role, address in plan.graph.heads[name].items() if address in shapes}
    classes = plan.parts.dataset.classes
    words = tuple(plan.parts.prompt.class_words(classes))
    attributes = plan.parts.dataset.attributes
    return BuildContext(classes=classes, class_words=words, attributes=attributes, shapes=fed, seed=seed, device=device)


def _head_shapes(plan: Plan) -> dict[str, Shape]:
    """Return the shapes of what heads give, as far as their dims are the classes and attributes of the data."""
    dataset = plan.parts.dataset
    size = {"C": len(dataset.classes), "A": len(dataset.attributes)}
    found: dict[str, Shape] = {}
    for node in plan.graph.of_kind("head"):
        for address in node.outputs:
            letters = (node.gives[address.signal].dims or "?").split()[1:]
            if letters and all(letter in size for letter in letters):
                found[address] = tuple(size[letter] for letter in letters)
    return found


def module_rows(plan: Plan) -> list[ModuleRow]:
    """Return the module table: perception, reasoner, heads."""
    rows = encoder_rows(plan)
    if plan.uses_reasoner and plan.parts.reasoner is not None:
        rows += plan.parts.reasoner.modules(signal_shapes(plan), plan.recipe.train.precision)
    for name in plan.graph.heads:
        rows += _head_rows(plan, name)
    return rows


def encoder_rows(plan: Plan) -> list[ModuleRow]:
    """Return the rows of all encoders, which come first."""
    return [row for encoder in plan.encoders.values() for row in encoder.modules()]


def build_head(plan: Plan, name: str, context: BuildContext) -> nn.Module:
    """Build one head. Raises RecipeError under its path where its options do not fit the model."""
    try:
        return plan.parts.heads[name].build(context)
    except ValueError as error:
        raise RecipeError(plan.source, [Problem(f"heads.{name}", str(error))]) from error


def _head_rows(plan: Plan, name: str) -> list[ModuleRow]:
    import torch

    with torch.device("meta"):
        module = build_head(plan, name, head_context(plan, name, 0, "meta"))
    count = sum(parameter.numel() for parameter in module.parameters())
    return [ModuleRow(name=f"heads.{name}", role="trained", parameters=count, bytes=4 * count)]
