"""`skinframe check`: the contract kit needs pytest and hypothesis, and is imported only where a plugin is checked."""

from __future__ import annotations

from collections.abc import Callable

from skinframe.contracts import Judged, Verdict
from skinframe.errors import Problem, RecipeError

NEEDED = ("pytest", "hypothesis")


def verdict(plugin: str, name: str | None = None, tell: Callable[[Judged], None] | None = None) -> Verdict:
    """Hold a plugin's components to the contracts of their kinds; `tell` hears of each component when it is done.

    `plugin` is an installed plugin, its distribution or a Python file; `name` picks one component. Raises RecipeError
    where there is no such plugin or component, or where pytest or hypothesis is not installed.
    """
    try:
        from skinframe.testing.judge import judge
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in NEEDED:
            raise
        what = f"is not installed, and the contract kit needs it; run `pip install 'skinframe[testing]'` ({error})"
        raise RecipeError("check", [Problem(f"{error.name}", what)]) from None
    found = []
    for judged in judge(plugin, name):
        found.append(judged)
        if tell is not None:
            tell(judged)
    return Verdict(tuple(found))
