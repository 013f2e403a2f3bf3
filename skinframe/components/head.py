"""Heads: small trained modules."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING

from skinframe.components.base import BuildContext, Component
from skinframe.signals import Output, standard_output

if TYPE_CHECKING:
    from torch import nn


class Head(Component):
    """A small trained module from model signals to model signals."""

    kind = "head"

    @abstractmethod
    def needs(self) -> tuple[str, ...]: ...

    @abstractmethod
    def provides(self) -> tuple[str, ...]: ...

    def outputs(self) -> Mapping[str, Output]:
        """Return the layout of each provided signal; override it for a signal that is not a standard one."""
        return {name: standard_output(name) for name in self.provides()}

    @abstractmethod
    def build(self, context: BuildContext) -> nn.Module:
        """Return a module whose `forward` takes the needed signals by name and returns a dict of those provided."""
