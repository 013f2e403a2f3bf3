"""Runs the contract checks of a plugin. The kit needs pytest and hypothesis, so it is imported only when called."""

from __future__ import annotations

from collections.abc import Callable

from skinframe.contract_results import ComponentResult, ContractResult
from skinframe.errors import Problem, RecipeError

NEEDED = ("pytest", "hypothesis")


def check_contracts(
    plugin: str, name: str | None = None, report: Callable[[ComponentResult], None] | None = None
) -> ContractResult:
    """Run the contract checks on a plugin's components; `report` is called with each component's result.

    `plugin` is an installed plugin, its distribution or a Python file; `name` picks one component. Raises RecipeError
    where there is no such plugin or component, or where pytest or hypothesis is not installed.
    """
    try:
        from skinframe.testing.check_plugin import check_components
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in NEEDED:
            raise
        what = f"is not installed, and the contract kit needs it; run `pip install 'skinframe[testing]'` ({error})"
        raise RecipeError("check", [Problem(f"{error.name}", what)]) from None
    results = []
    for result in check_components(plugin, name):
        results.append(result)
        if report is not None:
            report(result)
    return ContractResult(tuple(results))
