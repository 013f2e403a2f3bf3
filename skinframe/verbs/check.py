"""`skinframe check`: run the contract checks on a plugin."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from skinframe.printable_text import say
from skinframe.verbs.command_from_signature import Command, Option

if TYPE_CHECKING:
    from skinframe.contract_results import ContractResult


def check(
    plugin: Annotated[str | Path, Option("installed plugin, its distribution, or a Python file", metavar="PLUGIN")],
    name: Annotated[str | None, Option("check only this component", metavar="NAME")] = None,
) -> ContractResult:
    """Run the contract checks of every component of a plugin, or of the one called `name`.

    Needs pytest and hypothesis. Raises RecipeError where there is no such plugin or component.
    """
    from skinframe.contract_check import check_contracts

    return check_contracts(str(plugin), name)


def _print(plugin: str, name: str | None) -> None:
    from skinframe.contract_check import check_contracts

    result = check_contracts(plugin, name, report=lambda component: say(f"{component}\n"))
    say(result.summary)
    if not result.ok:
        sys.exit(1)


COMMAND = Command("check", check, "run the contract checks on a plugin; exits 1 on failure", _print)
