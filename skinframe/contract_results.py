"""Results of the contract checks of a plugin, as values and as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CheckOutcome = Literal["passed", "FAILED", "xfailed", "skipped"]  # xfailed: failed as its component declares


@dataclass(frozen=True)
class CheckResult:
    """One check of one component: its outcome and, unless it passed, the reason with a counter-example."""

    check: str
    number: str  # of the law, for a loss: I1 … I12
    law: str  # in words
    outcome: CheckOutcome
    detail: str = ""

    def __str__(self) -> str:
        head = f"  {self.outcome:<9}{self.check:<15}{self.number:<5}{self.law}"
        return "\n".join([head.rstrip(), *(f"             {line}" for line in self.detail.splitlines())])


@dataclass(frozen=True)
class ComponentResult:
    """One component and the results of every check of its kind."""

    kind: str
    name: str
    origin: str
    checks: tuple[CheckResult, ...]

    def __str__(self) -> str:
        return "\n".join([f"{self.kind} {self.name} · {self.origin}", *map(str, self.checks)])


@dataclass(frozen=True)
class ContractResult:
    """The results of a plugin, component by component."""

    components: tuple[ComponentResult, ...]

    @property
    def ok(self) -> bool:
        """True where no check failed; a failure that a component declares in `breaks` does not count."""
        return not self._count("FAILED")

    def _count(self, outcome: CheckOutcome) -> int:
        return sum(each.outcome == outcome for component in self.components for each in component.checks)

    @property
    def summary(self) -> str:
        outcomes: tuple[CheckOutcome, ...] = ("passed", "FAILED", "xfailed", "skipped")
        parts = [f"{self._count(outcome)} {outcome.lower()}" for outcome in outcomes if self._count(outcome)]
        count = len(self.components)
        return f"{count} component{'' if count == 1 else 's'}: {', '.join(parts)}"

    def __str__(self) -> str:
        return "\n\n".join([*map(str, self.components), self.summary])
