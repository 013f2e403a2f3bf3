"""Contrasts between arms: each against the reference, and the main effect of each part of a factorial design."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from skinframe.grid.ablation_arms import Arm, short


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """A sum over arms with these coefficients: `first` minus `second`, each a mean over arms."""

    first: str
    second: str
    coefficients: Mapping[str, float]


def against(arms: Sequence[Arm], reference: str) -> list[Contrast]:
    """Return the reference minus each other arm."""
    return [
        Contrast(first=reference, second=arm.name, coefficients={reference: 1.0, arm.name: -1.0})
        for arm in arms
        if arm.name != reference
    ]


def main_effects(arms: Sequence[Arm], parts: Sequence[str]) -> list[Contrast]:
    """Return, for each part, the mean over the arms that have it minus the mean over those that lack it.

    Every arm counts once in each effect, so n parts are judged on all 2^n arms, and each over all states of the others.
    """
    return [
        Contrast(
            first=f"with {short(part)}",
            second=f"without {short(part)}",
            coefficients={arm.name: (1.0 if part in arm.on else -1.0) * 2 / len(arms) for arm in arms},
        )
        for part in parts
    ]


def is_factorial(arms: Sequence[Arm]) -> bool:
    """Say whether the arms are all combinations of their parts, each once."""
    parts = {part for arm in arms for part in arm.on}
    return len(parts) > 1 and len({frozenset(arm.on) for arm in arms}) == len(arms) == 2 ** len(parts)
