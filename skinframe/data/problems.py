"""Everything that is wrong with a table: counted in full, shown in part."""

from __future__ import annotations

from collections.abc import Iterable

from skinframe.errors import DataError

SHOWN = 20


class Problems:
    """The first problems and how many there are in all, so that a table of bad rows fills no memory."""

    def __init__(self, found: Iterable[str] = ()) -> None:
        self.first: list[str] = []
        self.total = 0
        for what in found:
            self.add(what)

    def add(self, what: str) -> None:
        self.total += 1
        if len(self.first) < SHOWN:
            self.first.append(what)

    def listing(self, source: str) -> str:
        """Return '{source}: N problems' with the first ones on lines of their own."""
        count = "1 problem" if self.total == 1 else f"{self.total} problems"
        more = [f"  … and {self.total - SHOWN} more"] if self.total > SHOWN else []
        return "\n".join([f"{source}: {count}", *(f"  {problem}" for problem in self.first), *more])

    def stop(self, source: str) -> None:
        """Raise one DataError with the listing where there is any problem."""
        if self.total:
            raise DataError(self.listing(source))


def listing(source: str, problems: Iterable[str]) -> str:
    """Return '{source}: N problems' with the first ones on lines of their own."""
    return Problems(problems).listing(source)
