"""What all components share: options, digest, requirements and the rows of the module table."""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

if TYPE_CHECKING:
    from torch import nn

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
    """One line of the plan's module table, counted on the meta device.

    `per_token` marks the layers that every token of a batch passes through: what they compute is kept for the backward
    pass, whether they train or not, so the expected memory grows with their size.
    """

    name: str
    role: Role
    parameters: int
    bytes: int
    flops_per_sample: float = 0.0
    per_token: bool = False


@dataclass(frozen=True, kw_only=True)
class BuildContext:
    """What a reasoner or head is built from: the classes, the shapes of the signals it reads, where and how."""

    classes: tuple[str, ...]
    shapes: Mapping[str, Shape]
    seed: int
    class_words: tuple[str, ...] = ()  # what the prompt calls the classes
    attributes: tuple[str, ...] = ()  # the checklist that the data states of each lesion
    device: str = "cpu"
    precision: Literal["fp32", "bf16"] = "fp32"
    reasoner: nn.Module | None = None  # for a head that borrows from it, such as the verbalizer


class Component(ABC):
    """What every kind shares: a registered name and a frozen dataclass of options."""

    kind: ClassVar[str]
    name: ClassVar[str]
    Config: ClassVar[type[Any]] = NoConfig
    breaks: ClassVar[Mapping[str, str]] = {}  # checks of the contract kit that it fails on purpose, each with a reason

    def __init__(self, config: Any = None) -> None:
        self.config: Any = self.Config() if config is None else config

    @classmethod
    def summary(cls) -> str:
        """Return the first line of the docstring, its own or of a class between it and its kind; empty without one."""
        for each in cls.__mro__:
            if "kind" in vars(each):
                break
            if each.__doc__:
                return each.__doc__.strip().partition("\n")[0]
        return ""

    def digest(self) -> str | None:
        """Return a hex digest of what the component is made of; None where its name and options say everything.

        Only a digest that is not None is part of a plan's identity.
        """
        return None

    def missing(self) -> list[Requirement]:
        """Return what the component needs and this machine does not have, each with the step that provides it."""
        return []
