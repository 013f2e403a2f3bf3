"""One image of a data set: its ids, label, typed metadata and attributes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Value = str | float | None
Box = tuple[float, float, float, float]  # left, top, right, bottom, in pixels of the stored image


@dataclass(frozen=True, kw_only=True)
class Field:
    """A metadata column that may enter a prompt: an enumeration (`values`) or a number in [low, high]."""

    name: str
    values: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0
    unit: str = ""

    @property
    def expected(self) -> str:
        """Say what a value must be, e.g. 'one of female, male' or 'a number in [0, 120]'."""
        return f"one of {', '.join(self.values)}" if self.values else f"a number in [{self.low:g}, {self.high:g}]"

    @property
    def columns(self) -> tuple[str, ...]:
        """Name the numbers that say this field: 'not recorded', then one a value, or the number scaled to [0, 1]."""
        said = tuple(f"{self.name}: {one}" for one in self.values)
        return (f"{self.name}: not recorded", *(said or (self.name,)))

    def problem(self, value: Value) -> str | None:
        """Say why `value` may not stand in this field; None where it may. None (not recorded) always may."""
        if value is None:
            return None
        if self.values:
            return None if value in self.values else f"{value!r} is not {self.expected}"
        if isinstance(value, str) or not self.low <= value <= self.high:
            return f"{value!r} is not {self.expected}"
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """One image. `image` is the data set's own reference; `split` names an official split where there is one.

    `labels` holds the same diagnosis in other vocabularies, such as the set's own words; `source` is the institution or
    collection that it came from, for splits only; `masks` and `boxes` go by name ('lesion'). `file` and `line` say
    where the sample stands, for messages, and take no part in equality.
    """

    id: str
    image: str
    label: int
    patient: str | None = None
    lesion: str | None = None
    source: str | None = None
    metadata: Mapping[str, Value] = field(default_factory=dict)
    attributes: tuple[bool | None, ...] = ()
    split: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    masks: Mapping[str, str] = field(default_factory=dict)
    boxes: Mapping[str, Box] = field(default_factory=dict)
    file: str = field(default="", compare=False)
    line: int = field(default=0, compare=False)

    @property
    def group(self) -> str:
        """The unit that is never split and that intervals resample: patient, else lesion, else the image."""
        if self.patient is not None:
            return f"patient:{self.patient}"
        return f"lesion:{self.lesion}" if self.lesion is not None else f"image:{self.id}"

    @property
    def lesion_key(self) -> str | None:
        """The lesion, with its patient where one is known: sets count the lesions of each patient from 1."""
        if self.lesion is None or self.patient is None:
            return self.lesion
        return f"{self.lesion} of patient {self.patient}"
