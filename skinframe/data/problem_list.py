"""Collects every problem of a table, keeps the first twenty, and raises them as one error."""

from __future__ import annotations

from collections.abc import Iterable

from skinframe.errors import DataError

SHOWN = 20


class ProblemList:
    """The first problems and the total count, so that a table of bad rows does not fill memory."""

    def __init__(self, problems: Iterable[str] = ()) -> None:
        self.first: list[str] = []
        self.total = 0
        for problem in problems:
            self.add(problem)

    def add(self, problem: str) -> None:
        self.total += 1
        if len(self.first) < SHOWN:
            self.first.append(problem)

    def listing(self, source: str) -> str:
        """Return '{source}: N problems' with the first ones, one per line."""
        count = "1 problem" if self.total == 1 else f"{self.total} problems"
        more = [f"  … and {self.total - SHOWN} more"] if self.total > SHOWN else []
        return "\n".join([f"{source}: {count}", *(f"  {problem}" for problem in self.first), *more])

    def raise_any(self, source: str) -> None:
        """Raise one DataError with the listing if there is any problem."""
        if self.total:
            raise DataError(self.listing(source))


def listing(source: str, problems: Iterable[str]) -> str:
    """Return '{source}: N problems' with the first ones, one per line."""
    return ProblemList(problems).listing(source)
