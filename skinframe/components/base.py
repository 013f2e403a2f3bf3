"""What every kind of component shares."""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

Role = Literal["frozen", "nf4", "lora", "trained"]
Shape = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class NoConfig:
    """The options of a component that has none."""


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """Something that is not on this machine, and the exact next step that brings it."""

    what: str
    next_step: str
    kind: Literal["weights", "data", "gpu"] = "weights"


@dataclass(frozen=True, kw_only=True)
class ModuleRow:
    """One line of the plan's module table, counted on the meta device."""

    name: str
    role: Role
    parameters: int
    bytes: int
    flops_per_sample: float = 0.0


class Component(ABC):
    """What every kind shares: a registered name and a frozen dataclass of options."""

    kind: ClassVar[str]
    name: ClassVar[str]
    Config: ClassVar[type[Any]] = NoConfig
    breaks: ClassVar[Mapping[str, str]] = {}  # checks of the contract kit that it fails on purpose, each with a reason

    def __init__(self, config: Any = None) -> None:
        self.config: Any = self.Config() if config is None else config
