"""The arms of a grid: parts switched on or off, values of a recipe path, shares of the training data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from skinframe.errors import Problem, RecipeError
from skinframe.grid.run_request import Request

WHOLE, NOTHING = "whole", "none of them"
MOST_PARTS = 6  # 2^6 arms; more parts would need too many runs


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One variant. `on` names its parts, `at` is its position on a numeric axis, None if there is none."""

    name: str
    request: Request
    on: tuple[str, ...] = ()
    at: float | None = None


@dataclass(frozen=True, kw_only=True)
class Switch:
    """A part that an arm has or not: a component, or a path with the value that switches it off."""

    name: str
    off: str

    def without(self, request: Request) -> Request:
        return request.also([self.off])


def switch_of(text: str) -> Switch:
    """Return the switch that 'losses.alignment' or 'losses.focal.config.gamma=0' names."""
    path, sign, _ = text.partition("=")
    return Switch(name=path, off=text if sign else f"{path}.enabled=false")


def leave_one_out(base: Request, switches: Sequence[Switch]) -> list[Arm]:
    """Return the whole and, for each part, all but that one."""
    full = frozenset(switch.name for switch in switches)
    return _chosen(base, switches, [full, *(full - {switch.name} for switch in switches)])


def add_one(base: Request, switches: Sequence[Switch]) -> list[Arm]:
    """Return none of the parts, each part alone, and the whole."""
    names = [switch.name for switch in switches]
    return _chosen(base, switches, [frozenset(), *(frozenset({name}) for name in names), frozenset(names)])


def factorial(base: Request, switches: Sequence[Switch]) -> list[Arm]:
    """Return all 2^n combinations, the whole first. Raises RecipeError for more than MOST_PARTS parts."""
    if len(switches) > MOST_PARTS:
        what = f"{len(switches)} parts make {2 ** len(switches)} arms; name at most {MOST_PARTS} with --over"
        raise RecipeError(base.recipe, [Problem("--arms factorial", what)])
    names = [switch.name for switch in switches]
    every = [
        frozenset(name for name, kept in zip(names, bits, strict=True) if kept)
        for bits in product((True, False), repeat=len(names))
    ]
    return _chosen(base, switches, sorted(every, key=len, reverse=True))


DESIGNS: dict[str, Callable[[Request, Sequence[Switch]], list[Arm]]] = {
    "leave-one-out": leave_one_out,
    "add-one": add_one,
    "factorial": factorial,
}


def _chosen(base: Request, switches: Sequence[Switch], sets: Sequence[frozenset[str]]) -> list[Arm]:
    """Return an arm for each set of parts, each set once, in order."""
    arms = []
    for on in dict.fromkeys(sets):
        request = base
        for switch in switches:
            request = request if switch.name in on else switch.without(request)
        kept = tuple(switch.name for switch in switches if switch.name in on)
        arms.append(Arm(name=_named(kept, switches), request=request, on=kept))
    return arms


def _named(on: Sequence[str], switches: Sequence[Switch]) -> str:
    off = [short(switch.name) for switch in switches if switch.name not in on]
    if not off:
        return WHOLE
    if not on and len(off) > 1:
        return NOTHING
    # the shorter of the two ways to say it
    return (
        f"without {' and '.join(off)}" if len(off) <= max(len(on), 1) else f"{' and '.join(short(n) for n in on)} alone"
    )


def short(path: str) -> str:
    """Return 'focal' for losses.focal and 'focal gamma' for losses.focal.config.gamma."""
    words = [word for word in path.split(".")[1:] if word != "config"] or [path]
    return " ".join(words)


def values(base: Request, path: str, texts: Sequence[str]) -> list[Arm]:
    """Return an arm for each value of a path, in the order given."""
    return [
        Arm(name=f"{short(path)} = {text}", request=base.also([f"{path}={text}"]), at=_number(text)) for text in texts
    ]


def fractions(base: Request, shares: Sequence[float]) -> list[Arm]:
    """Return an arm for each share of the training images, the largest first; a smaller one is part of a larger."""
    return [
        Arm(name=f"{100 * share:g} % of the training images", request=base.also([f"split.subset={share!r}"]), at=share)
        for share in sorted(shares, reverse=True)
    ]


def others(base: Request, recipes: Sequence[str]) -> list[Arm]:
    """Return an arm for each other recipe under the same presets and overrides."""
    return [
        Arm(
            name=Path(recipe).stem,
            request=Request(
                recipe=recipe,
                presets=base.presets,
                overrides=base.overrides,
                without=base.without,
                plugins=base.plugins,
            ),
        )
        for recipe in recipes
    ]


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
