"""Reading a whole cache back: what is whole, and what is not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from skinframe.features.shard import INDEX, DamagedError, read_index
from skinframe.features.store import ABOUT, leftovers

State = Literal["whole", "damaged", "leftover"]


@dataclass(frozen=True)
class Finding:
    """One shard, or one file that a killed writer left; `what` says why it is not whole."""

    path: Path
    state: State
    rows: int = 0
    what: str = ""


def verify(root: Path) -> list[Finding]:
    """Check every byte of every shard against its SHA-256. Changes nothing; a damaged shard is replaced when used."""
    found = []
    for folder in sorted(path for path in root.glob("*") if path.is_dir()):
        for index in sorted(folder.glob(f"*{INDEX}")):
            if index.name != ABOUT:
                found.append(_check(index))
        found += [Finding(path, "leftover", what="left by an interrupted write") for path in leftovers(folder)]
    return found


def _check(index: Path) -> Finding:
    try:
        shard = read_index(index)
    except DamagedError as error:
        return Finding(index, "damaged", what=str(error))
    flaw = shard.flaw(deep=True)
    return Finding(shard.path, "whole" if flaw is None else "damaged", len(shard.keys), flaw or "")
