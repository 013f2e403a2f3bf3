"""Reasoners: language models that read image tokens and a prompt."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from skinframe.components.base import BuildContext, Component, ModuleRow, Shape
from skinframe.components.encoder import Encoder
from skinframe.signals import Output, standard_output

if TYPE_CHECKING:
    from torch import nn


class Reasoner(Component):
    """A language model that reads image tokens and a prompt, and gives a state and a rationale."""

    kind = "reasoner"

    def brings(self) -> Mapping[str, Encoder]:
        """Return encoders that come with the reasoner itself (Qwen's own tower), by instance name."""
        return {}

    @abstractmethod
    def needs(self) -> tuple[str, ...]:
        """Return the full names of the signals it reads, e.g. `("clip.image_tokens",)`."""

    @abstractmethod
    def provides(self) -> Mapping[str, Shape]: ...

    def outputs(self) -> Mapping[str, Output]:
        """Return the layout of each provided signal; override it for a signal that is not a standard one."""
        return {name: standard_output(name) for name in self.provides()}

    @abstractmethod
    def build(self, context: BuildContext) -> nn.Module:
        """Return a module with the methods of `skinframe.reasoner_module.ReasonerModule`."""

    @abstractmethod
    def digest(self) -> str:
        """Return a hex digest of the base weights and the tokenizer."""

    def modules(self, shapes: Mapping[str, Shape], precision: Literal["fp32", "bf16"] = "fp32") -> list[ModuleRow]:
        """Return the rows of the module table at the precision of the run, `shapes` by the address of each signal."""
        return []
