"""What names a run: a recipe and what is laid over it. It is a plain value, so that an engine can send it anywhere."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from skinframe.planning import Plan
from skinframe.planning.load_plan import plan_of


@dataclass(frozen=True, kw_only=True)
class Request:
    """The words of `skinframe run`: a recipe file, presets, `--set`, `--without` and one-file plugins."""

    recipe: str
    presets: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    plugins: tuple[str, ...] = ()

    def also(self, overrides: Sequence[str] = (), without: Sequence[str] = ()) -> Request:
        """Return the request with more laid over it; the last word on a path counts."""
        return replace(self, overrides=(*self.overrides, *overrides), without=(*self.without, *without))

    def plan(self) -> Plan:
        """Return the plan. Raises RecipeError with every problem at once; loads no weights."""
        return plan_of(self.recipe, self.presets, self.overrides, self.without, self.plugins)


@dataclass(frozen=True, kw_only=True)
class Item:
    """One run of a grid: its arm and seed, what to run, where. Doing it twice is doing it once.

    `name` is the run folder's, which holds the plan's fingerprint: the same work has the same name wherever it is done.
    """

    arm: str
    seed: int
    request: Request
    name: str
    out: str
    cache: str

    @property
    def folder(self) -> Path:
        return Path(self.out) / self.name

    @property
    def label(self) -> str:
        return f"{self.arm}, seed {self.seed}"

    def to_json(self) -> str:
        return json.dumps(asdict(self))


def item_of(text: str) -> Item:
    """Return the item that `to_json` wrote."""
    data = json.loads(text)
    return Item(request=request_of(data.pop("request")), **data)


def make_request(
    recipe: str | Path,
    presets: Sequence[str],
    overrides: Sequence[str],
    without: Sequence[str],
    plugins: Sequence[str | Path],
) -> Request:
    """Return the request of what was given to the command line or to a function of the library."""
    return Request(
        recipe=str(recipe),
        presets=tuple(presets),
        overrides=tuple(overrides),
        without=tuple(without),
        plugins=tuple(map(str, plugins)),
    )


def request_of(words: Mapping[str, Any]) -> Request:
    """Return the request that `asdict` and JSON made plain."""
    lists = {key: tuple(value) for key, value in words.items() if key != "recipe"}
    return Request(recipe=words["recipe"], **lists)


def digest(names: Sequence[str]) -> str:
    """Return eight hex digits that stand for names of runs in their order."""
    return hashlib.sha256("\x1f".join(names).encode()).hexdigest()[:8]
