"""One deliberately wrong verb for each check of the contract kit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import skinframe
from skinframe.components import option


class Right(skinframe.Verb):
    """Every type of option that the command line reads; passes every check."""

    name = "right-verb"
    help = "count lesions"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        folder: Path = option(help="a run folder")
        part: Literal["valid", "test"] = option("test", help="the part of the split")
        least: float | None = option(None, help="the least probability")
        names: tuple[str, ...] = option((), help="a class; may be repeated")

    def run(self):
        return self.config.part


class Shouting(Right):
    name = "Right Verb"


class Unexplained(Right):
    @dataclass(frozen=True, kw_only=True)
    class Config:
        part: str = "test"


class TakesATable(Right):
    @dataclass(frozen=True, kw_only=True)
    class Config:
        table: dict = option(None, help="a table")


def made(kind, **options):
    return kind(kind.Config(**options))


RIGHT = [made(Right, folder=Path())]
WRONG = {"named": made(Shouting, folder=Path()), "described": made(Unexplained), "readable": made(TakesATable)}
