"""The model: reasoner and heads in one module from batch signals to model signals. It never sees a label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from skinframe.components import BuildContext
from skinframe.planning import Plan
from skinframe.planning.sizes import build_head, encoder_shapes, head_context
from skinframe.seeding import derive


class Assembled(nn.Module):
    """Signals under their full names in, the wanted model signals under their full names out."""

    def __init__(self, plan: Plan, reasoner: Any, heads: dict[str, nn.Module]) -> None:
        super().__init__()
        self.reasoner = reasoner
        self.heads = nn.ModuleDict(heads)
        self._feeds = plan.wiring.heads
        self._want = frozenset(n.split(".")[1] for n in plan.wiring.used if n.startswith("reasoner."))

    def forward(self, batch: Mapping[str, Tensor], want: frozenset[str] | None = None) -> dict[str, Tensor]:
        """`want` narrows the reasoner's signals: an evaluation reads no rationale scores."""
        signals: dict[str, Tensor] = dict(batch)
        if self.reasoner is not None:
            wanted = self._want if want is None else self._want & want
            given = self.reasoner(batch, wanted)
            signals |= {f"reasoner.{name}": value for name, value in given.items()}
        for name, head in self.heads.items():
            read = {bare: signals[full] for bare, full in self._feeds[name].items() if full in signals}
            if len(read) == len(self._feeds[name]):
                # class scores in bf16 tie, and would be trained and judged at two precisions
                with torch.autocast(self._device_type(signals), enabled=False):
                    signals |= {f"{name}.{signal}": value for signal, value in head(read).items()}
        return signals

    @staticmethod
    def _device_type(signals: Mapping[str, Tensor]) -> str:
        return next(iter(signals.values())).device.type

    def trained_state(self) -> dict[str, Tensor]:
        """Return what a checkpoint holds: adapters, connector and heads, never the frozen base."""
        state = {f"heads.{name}": value.detach().cpu().clone() for name, value in self.heads.state_dict().items()}
        if self.reasoner is not None:
            state |= {f"reasoner.{n}": v.detach().cpu().clone() for n, v in self.reasoner.trained_state().items()}
        return state

    def load_trained_state(self, state: Mapping[str, Tensor]) -> None:
        """Take back `trained_state`. Raises RuntimeError or ValueError naming keys that do not match."""
        parts: dict[str, dict[str, Tensor]] = {"heads": {}, "reasoner": {}}
        for name, value in state.items():
            kind, _, rest = name.partition(".")
            parts[kind][rest] = value
        self.heads.load_state_dict(parts["heads"])
        if self.reasoner is not None:
            self.reasoner.load_trained_state(parts["reasoner"])

    def trained_parameters(self) -> list[tuple[str, nn.Parameter]]:
        return [(name, parameter) for name, parameter in self.named_parameters() if parameter.requires_grad]


def assemble(plan: Plan, device: str) -> Assembled:
    """Build reasoner and heads, each from the seed of its own path: a toggle shifts no other initial weight."""
    seed, precision = plan.recipe.seed, plan.recipe.train.precision
    classes = plan.parts.dataset.classes
    reasoner = None
    if plan.uses_reasoner:
        context = BuildContext(
            classes=classes,
            shapes={name: shape for name, shape in encoder_shapes(plan).items() if name in plan.wiring.reasoner},
            seed=derive(seed, "reasoner"),
            device=device,
            precision=precision,
        )
        reasoner = plan.parts.reasoner.build(context)
    heads = {}
    for name in plan.wiring.heads:
        head_seed = derive(seed, f"heads.{name}")
        context = replace(head_context(plan, name, head_seed, device), reasoner=reasoner)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(head_seed)
            heads[name] = build_head(plan, name, context).to(device)
    return Assembled(plan, reasoner, heads)
