"""`skinframe check`: run the contract checks on a plugin."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from skinframe.verbs.command import Command, Option

if TYPE_CHECKING:
    from skinframe.contracts import Verdict


def check(
    plugin: Annotated[str | Path, Option("installed plugin, its distribution, or a Python file", metavar="PLUGIN")],
    name: Annotated[str | None, Option("check only this component", metavar="NAME")] = None,
) -> Verdict:
    """Run the contract checks of every component of a plugin, or of the one called `name`.

    Needs pytest and hypothesis. Raises RecipeError where there is no such plugin or component.
    """
    from skinframe.checking import verdict

    return verdict(str(plugin), name)


def _print(plugin: str, name: str | None) -> None:
    from skinframe.checking import verdict

    found = verdict(plugin, name, tell=lambda judged: print(f"{judged}\n", flush=True))
    print(found.summary)
    if not found.ok:
        sys.exit(1)


COMMAND = Command("check", check, "run the contract checks on a plugin; exits 1 on failure", _print)
