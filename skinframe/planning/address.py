"""The address of a signal, `instance.signal`: the only module that splits or joins addresses.

An address is a string, so batches, files and messages use it as it is; only this module knows that a dot separates
its two parts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from skinframe.errors import Problem

BATCH, REASONER = "batch", "reasoner"
PIXELS = "pixels"  # what the module of a trained encoder reads
RESERVED = {BATCH: "the columns of a batch", REASONER: "the recipe's reasoner"}
INSTANCE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


class Address(str):
    """The full name of a signal: which instance gives it, and its bare name there."""

    __slots__ = ()

    def __new__(cls, instance: str, signal: str) -> Address:
        return super().__new__(cls, f"{instance}.{signal}")

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read `instance.signal`. Raises ValueError where the text is not of that form."""
        instance, dot, signal = text.partition(".")
        if not (dot and INSTANCE.fullmatch(instance) and signal):
            raise ValueError(f"'{text}' is not an address; write instance.signal, for example classify.logits")
        return cls(instance, signal)

    @property
    def instance(self) -> str:
        return self.partition(".")[0]

    @property
    def signal(self) -> str:
        return self.partition(".")[2]

    @property
    def is_column(self) -> bool:
        """Whether the signal is a column of the batch, and not an output of the model."""
        return self.instance == BATCH

    def __getnewargs__(self) -> tuple[str, str]:  # type: ignore[override]
        return self.instance, self.signal


def column(signal: str) -> Address:
    """Return the address of a column of the batch."""
    return Address(BATCH, signal)


def pixels(encoder: str) -> Address:
    """Return the address of the pixels that a trained encoder reads."""
    return Address(encoder, PIXELS)


def is_full(name: str) -> bool:
    """Say whether a name is an address, and not a bare signal."""
    return "." in name


def instance_of(name: str) -> str:
    """Return the part of a name before the dot, whether or not it is an address."""
    return name.partition(".")[0]


def bare(name: str) -> str:
    """Return the bare signal of a name that may be an address."""
    return Address.parse(name).signal if is_full(name) else name


def from_instance(addresses: Iterable[Address], instance: str) -> list[str]:
    """Return the bare signals that one instance gives among some addresses, sorted."""
    return sorted(address.signal for address in addresses if address.instance == instance)


def instance_problems(path: str, name: str) -> list[Problem]:
    """Return why an instance of a recipe may not be called `name`: its signals would have no address of their own."""
    if name in RESERVED:
        return [Problem(path, f"'{name}' is reserved for {RESERVED[name]}; choose another name")]
    if not INSTANCE.fullmatch(name):
        what = f"'{name}' cannot name an instance: letters, digits, '_' and '-', beginning with a letter or '_'"
        return [Problem(path, what)]
    return []
