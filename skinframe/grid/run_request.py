"""A run request: recipe, presets and overrides as a plain value that an engine can send to a process."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from skinframe.planning import Plan
from skinframe.planning.load_plan import plan_of
from skinframe.untrusted_files import parse_object


@dataclass(frozen=True, kw_only=True)
class Request:
    """The arguments of `skinframe run`: a recipe file, presets, `--set`, `--without` and one-file plugins."""

    recipe: str
    presets: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    plugins: tuple[str, ...] = ()

    def also(self, overrides: Sequence[str] = (), without: Sequence[str] = ()) -> Request:
        """Return the request with more overrides; the last override of a path wins."""
        return replace(self, overrides=(*self.overrides, *overrides), without=(*self.without, *without))

    def plan(self) -> Plan:
        """Return the plan. Raises RecipeError with every problem at once; loads no weights."""
        return plan_of(self.recipe, self.presets, self.overrides, self.without, self.plugins)


@dataclass(frozen=True, kw_only=True)
class RunItem:
    """One run of a grid: its arm and seed, what to run, where; it may be repeated without harm.

    `name` is that of the run folder and holds the plan's fingerprint: the same run has the same name on every machine.
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


def item_of(text: str) -> RunItem:
    """Return the item that `to_json` wrote."""
    data = parse_object(text, "a run of a grid")
    return RunItem(request=request_of(data.pop("request")), **data)


def make_request(
    recipe: str | Path,
    presets: Sequence[str],
    overrides: Sequence[str],
    without: Sequence[str],
    plugins: Sequence[str | Path],
) -> Request:
    """Return the request for the arguments of a verb."""
    return Request(
        recipe=str(recipe),
        presets=tuple(presets),
        overrides=tuple(overrides),
        without=tuple(without),
        plugins=tuple(map(str, plugins)),
    )


def request_of(words: Mapping[str, Any]) -> Request:
    """Return the request from its JSON form."""
    lists = {key: tuple(value) for key, value in words.items() if key != "recipe"}
    return Request(recipe=words["recipe"], **lists)


def digest(names: Sequence[str]) -> str:
    """Return eight hex digits that identify a list of run names."""
    return hashlib.sha256("\x1f".join(names).encode()).hexdigest()[:8]
