"""The model: encoders that train, reasoner and heads in one module that walks the signal graph. It sees no label."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from skinframe.components import BuildContext
from skinframe.errors import Problem, RecipeError
from skinframe.model.trained_encoder import TrainedEncoder
from skinframe.planning import Plan
from skinframe.planning.address import REASONER, Address, from_instance, pixels
from skinframe.planning.cost_estimate import build_head, encoder_shapes, head_context
from skinframe.seeding import derive


class Model(nn.Module):
    """Signals under their addresses in, the wanted model signals under their addresses out."""

    def __init__(
        self,
        plan: Plan,
        reasoner: Any,
        heads: Mapping[str, nn.Module],
        encoders: Mapping[str, TrainedEncoder] | None = None,
    ) -> None:
        super().__init__()
        self.encoders = nn.ModuleDict(encoders or {})
        self.reasoner = reasoner
        self.heads = nn.ModuleDict(heads)
        self.graph = plan.graph

    def forward(
        self,
        batch: Mapping[str, Tensor],
        want: Collection[Address] | None = None,
        given: Mapping[Address, Tensor] | None = None,
    ) -> dict[str, Tensor]:
        """Return the batch and what is computed of it: `want`, by default what a training step reads.

        A `given` signal stands for what would be computed, and nothing behind it runs: explainers, corrections of the
        prior and edits of an image need no more.
        """
        given = given or {}
        needed = self.graph.wanted if want is None else want
        needed = self.graph.ancestors(needed, given)
        signals: dict[str, Tensor] = dict(batch)
        signals.update({str(address): value for address, value in given.items()})
        live = {address.instance for address in needed if address not in given}
        for name, encoder in self.encoders.items():
            if name in live:
                values = encoder(signals[pixels(name)])
                signals |= {Address(name, signal): value for signal, value in values.items()}
        asked = frozenset(from_instance((address for address in needed if address not in given), REASONER))
        if self.reasoner is not None and asked:
            values = self.reasoner(signals, asked)
            signals |= {Address(REASONER, name): value for name, value in values.items()}
        for name, reads in self.graph.heads.items():
            if name in live:
                # class scores in bf16 tie, and would be trained and judged at two precisions
                with torch.autocast(self._device_type(signals), enabled=False):
                    values = self.heads[name]({role: signals[address] for role, address in reads.items()})
                signals |= {Address(name, signal): value for signal, value in values.items()}
        return signals

    @property
    def wanted(self) -> frozenset[Address]:
        """What a training step computes, and everything that it is computed from."""
        return self.graph.wanted

    @staticmethod
    def _device_type(signals: Mapping[str, Tensor]) -> str:
        return next(iter(signals.values())).device.type

    def trained_state(self) -> dict[str, Tensor]:
        """Return what a checkpoint holds: trained encoders, adapters, connector and heads, never a frozen base."""
        state = {f"heads.{name}": value.detach().cpu().clone() for name, value in self.heads.state_dict().items()}
        for name, encoder in self._trained_encoders():
            kept = encoder.trained_state()
            state |= {f"encoders.{name}.{n}": value.detach().cpu().clone() for n, value in kept.items()}
        if self.reasoner is not None:
            state |= {f"reasoner.{n}": v.detach().cpu().clone() for n, v in self.reasoner.trained_state().items()}
        return state

    def load_trained_state(self, state: Mapping[str, Tensor]) -> None:
        """Take back `trained_state`. Raises RuntimeError or ValueError naming keys that do not match."""
        parts: dict[str, dict[str, Tensor]] = {"heads": {}, "reasoner": {}, "encoders": {}}
        for name, value in state.items():
            kind, _, rest = name.partition(".")
            parts[kind][rest] = value
        self.heads.load_state_dict(parts["heads"])
        for name, encoder in self._trained_encoders():
            prefix = f"{name}."
            own = {key.removeprefix(prefix): v for key, v in parts["encoders"].items() if key.startswith(prefix)}
            encoder.load_trained_state(own)
        if self.reasoner is not None:
            self.reasoner.load_trained_state(parts["reasoner"])

    def _trained_encoders(self) -> Iterator[tuple[str, TrainedEncoder]]:
        return ((name, module) for name, module in self.encoders.items() if isinstance(module, TrainedEncoder))

    def trained_parameters(self) -> list[tuple[str, nn.Parameter]]:
        return [(name, parameter) for name, parameter in self.named_parameters() if parameter.requires_grad]


def build_model(plan: Plan, device: str) -> Model:
    """Build encoders, reasoner and heads, each from the seed of its own path: a toggle shifts no other first weight."""
    seed, precision = plan.recipe.seed, plan.recipe.train.precision
    classes = plan.parts.dataset.classes
    reasoner = None
    if plan.graph.reasoner is not None:
        assert plan.parts.reasoner is not None
        eyes = plan.graph.eyes
        context = BuildContext(
            classes=classes,
            shapes={name: shape for name, shape in encoder_shapes(plan).items() if name in eyes},
            seed=derive(seed, "reasoner"),
            device=device,
            precision=precision,
        )
        reasoner = plan.parts.reasoner.build(context)
    heads = {}
    for name in plan.graph.heads:
        head_seed = derive(seed, f"heads.{name}")
        context = replace(head_context(plan, name, head_seed, device), reasoner=reasoner)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(head_seed)
            heads[name] = build_head(plan, name, context).to(device)
    encoders = {name: _build_encoder(plan, name, device) for name in plan.graph.trained_encoders}
    return Model(plan, reasoner, heads, encoders)


def _build_encoder(plan: Plan, name: str, device: str) -> TrainedEncoder:
    """Build one trained encoder. Raises RecipeError under its path if its options do not fit the network."""
    encoder, path = plan.encoders[name], f"encoders.{name}"
    context = BuildContext(
        classes=plan.parts.dataset.classes,
        shapes={},
        seed=derive(plan.recipe.seed, path),
        device=device,
        precision=plan.recipe.train.precision,
    )
    try:
        return TrainedEncoder(encoder.build(context), encoder.frozen_parts()).to(device)
    except ValueError as error:
        raise RecipeError(plan.source, [Problem(path, str(error))]) from error
