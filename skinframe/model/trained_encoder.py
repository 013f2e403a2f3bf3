"""An encoder in training as part of the model: frozen parts, buffers, and its checkpoint state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self

import torch
from torch import Tensor, nn


class TrainedEncoder(nn.Module):
    """The module that a trained encoder builds, from pixels [B, 3, H, W] to its image signals by name.

    The submodules named in `frozen` keep their weights and stay in evaluation mode, so that their batch statistics do
    not move either. Nor do any statistics move without gradients, as in the first of two passes over a step.
    """

    def __init__(self, module: nn.Module, frozen: Sequence[str] = ()) -> None:
        super().__init__()
        self.module = module
        self.frozen = tuple(frozen)
        for part in self._frozen_modules():
            part.requires_grad_(False)

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of the submodules that train, below a wrapper that holds the whole network."""
        children, prefix = dict(self.module.named_children()), ""
        while len(children) == 1:
            ((name, child),) = children.items()
            children, prefix = dict(child.named_children()), f"{prefix}{name}."
        trains = (name for name, child in children.items() if any(p.requires_grad for p in child.parameters()))
        return tuple(f"{prefix}{name}" for name in trains)

    def train(self, mode: bool = True) -> Self:
        super().train(mode)
        self._set_module(mode)
        return self

    def _set_module(self, training: bool) -> None:
        self.module.train(training)
        for part in self._frozen_modules():
            part.eval()

    def forward(self, pixels: Tensor) -> dict[str, Tensor]:
        training = self.training and any(parameter.requires_grad for parameter in self.module.parameters())
        if self.module.training != training:  # a stage may freeze the whole encoder, or train it again
            self._set_module(training)
        if torch.is_grad_enabled() or not training:
            signals: dict[str, Tensor] = self.module(pixels)
            return signals
        kept = {name: buffer.clone() for name, buffer in self.module.named_buffers()}
        signals = self.module(pixels)
        for name, buffer in self.module.named_buffers():
            buffer.copy_(kept[name])
        return signals

    def trained_state(self) -> dict[str, Tensor]:
        """Return what a checkpoint holds: all weights and persistent buffers; random frozen ones have no other file."""
        return {name: value.detach().contiguous() for name, value in self.module.state_dict().items()}

    def load_trained_state(self, state: Mapping[str, Tensor]) -> None:
        """Restore `trained_state`. Raises RuntimeError naming keys that do not match."""
        self.module.load_state_dict(dict(state))

    def _frozen_modules(self) -> list[nn.Module]:
        return [self.module.get_submodule(name) for name in self.frozen]
