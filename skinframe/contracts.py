"""What the contract kit says of a plugin, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["ok", "FAILED", "known", "left out"]


@dataclass(frozen=True)
class Judgement:
    """One check of one component: whether it holds, and else why not, with a counter-example."""

    check: str
    number: str  # of the law, for a loss: I1 … I12
    says: str  # the law in words
    outcome: Outcome
    detail: str = ""

    def __str__(self) -> str:
        head = f"  {self.outcome:<9}{self.check:<15}{self.number:<5}{self.says}"
        return "\n".join([head.rstrip(), *(f"             {line}" for line in self.detail.splitlines())])


@dataclass(frozen=True)
class Judged:
    """One component and what every check of its kind said of it."""

    kind: str
    name: str
    origin: str
    judgements: tuple[Judgement, ...]

    def __str__(self) -> str:
        return "\n".join([f"{self.kind} {self.name} · {self.origin}", *map(str, self.judgements)])


@dataclass(frozen=True)
class Verdict:
    """What the contract says of a plugin, component by component."""

    components: tuple[Judged, ...]

    @property
    def ok(self) -> bool:
        """True where no check failed; a failure that a component declares in `breaks` is none."""
        return not self._count("FAILED")

    def _count(self, outcome: Outcome) -> int:
        return sum(each.outcome == outcome for judged in self.components for each in judged.judgements)

    @property
    def summary(self) -> str:
        words: tuple[tuple[Outcome, str], ...] = (
            *(("ok", "hold"), ("FAILED", "failed"), ("known", "fail as declared"), ("left out", "left out")),
        )
        parts = [f"{self._count(outcome)} {word}" for outcome, word in words if self._count(outcome)]
        count = len(self.components)
        return f"{count} component{'' if count == 1 else 's'}: {', '.join(parts)}"

    def __str__(self) -> str:
        return "\n\n".join([*map(str, self.components), self.summary])
