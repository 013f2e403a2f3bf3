"""The command line in a process where every listing of a folder comes in another order: `python shuffled.py run …`."""

from __future__ import annotations

import os
import random
import sys
from typing import Any


class Entries:
    """What os.scandir gives, shuffled."""

    def __init__(self, entries: list[Any]) -> None:
        random.shuffle(entries)
        self.entries = iter(entries)

    def __iter__(self) -> Any:
        return self.entries

    def __next__(self) -> Any:
        return next(self.entries)

    def __enter__(self) -> Entries:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        self.entries = iter(())


def install() -> None:
    """Stand between the process and the system, before anything else is imported that keeps these functions."""
    scandir, listdir = os.scandir, os.listdir

    def scanned(*path: Any) -> Any:
        with scandir(*path) as entries:
            return Entries(list(entries))

    def listed(*path: Any) -> Any:
        found = listdir(*path)
        random.shuffle(found)
        return found

    os.scandir, os.listdir = scanned, listed  # type: ignore[assignment]


def main() -> None:
    install()
    print("shuffled", flush=True)
    from skinframe.cli import main as command

    command(sys.argv[1:])


if __name__ == "__main__":
    main()
