"""What a data set says of one image: its ids, label, typed metadata and attributes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Value = str | float | None


@dataclass(frozen=True, kw_only=True)
class Field:
    """A metadata column that may enter a prompt: an enumeration (`values`) or a number in [low, high]."""

    name: str
    values: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0
    unit: str = ""

    def problem(self, value: Value) -> str | None:
        """Say why `value` may not stand in this field; None where it may. None (not recorded) always may."""
        if value is None:
            return None
        if self.values:
            return None if value in self.values else f"{value!r} is not one of {', '.join(self.values)}"
        if isinstance(value, str) or not self.low <= value <= self.high:
            return f"{value!r} is not a number in [{self.low:g}, {self.high:g}]"
        return None


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One image. `image` is the data set's own reference; `split` names an official split where there is one."""

    id: str
    image: str
    label: int
    patient: str | None = None
    lesion: str | None = None
    metadata: Mapping[str, Value] = field(default_factory=dict)
    attributes: tuple[bool | None, ...] = ()
    split: str | None = None

    @property
    def group(self) -> str:
        """The unit that is never split and that intervals resample: patient, else lesion, else the image."""
        if self.patient is not None:
            return f"patient:{self.patient}"
        return f"lesion:{self.lesion}" if self.lesion is not None else f"image:{self.id}"
