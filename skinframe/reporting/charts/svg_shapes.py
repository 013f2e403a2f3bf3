"""Shapes, a scale and ticks: all that the charts are made of. `ink` is a CSS class of the style sheet."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, kw_only=True)
class Rect:
    """A rectangle in pixels; `tip` is shown on hover."""

    kind: ClassVar[str] = "rect"
    x: float
    y: float
    width: float
    height: float
    ink: str
    tip: str = ""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A polyline through (x, y) points."""

    kind: ClassVar[str] = "line"
    points: tuple[tuple[float, float], ...]
    ink: str

    @property
    def path(self) -> str:
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in self.points)


@dataclass(frozen=True, kw_only=True)
class Dot:
    """A filled circle."""

    kind: ClassVar[str] = "dot"
    x: float
    y: float
    radius: float
    ink: str
    tip: str = ""


@dataclass(frozen=True, kw_only=True)
class Text:
    """A word at a place; `anchor` is start, middle or end."""

    kind: ClassVar[str] = "text"
    x: float
    y: float
    text: str
    ink: str = "tick"
    anchor: str = "middle"


Shape = Rect | Line | Dot | Text


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A drawing and what it says to someone who cannot see it."""

    width: float
    height: float
    shapes: tuple[Shape, ...]
    label: str


@dataclass(frozen=True, kw_only=True)
class Scale:
    """A linear map of [low, high] to pixels [start, stop]."""

    low: float
    high: float
    start: float
    stop: float

    def __call__(self, value: float) -> float:
        span = self.high - self.low
        share = 0.5 if span == 0 else (value - self.low) / span
        return self.start + min(1.0, max(0.0, share)) * (self.stop - self.start)


def ticks(low: float, high: float, about: int = 4) -> list[float]:
    """Return round values in [low, high], about so many of them."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return [low]
    raw = (high - low) / about
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(multiple * unit for multiple in (1, 2, 2.5, 5, 10) if multiple * unit >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [index * step for index in range(first, math.floor(high / step + 1e-9) + 1)]


def tick_text(value: float, values: Sequence[float]) -> str:
    """Return a tick's label with just the digits that tell the ticks apart."""
    step = min((abs(b - a) for a, b in itertools.pairwise(values)), default=abs(value) or 1.0)
    if abs(value) >= 10_000:
        return f"{value / 1000:g}k"
    digits = max(0, -math.floor(math.log10(step) + 1e-9)) if step > 0 else 0
    # 0.25 steps need one digit more than their size says
    if step > 0 and abs(step * 10**digits - round(step * 10**digits)) > 1e-6:
        digits += 1
    return f"{value:.{min(digits, 6)}f}".replace("-", "\u2212")
