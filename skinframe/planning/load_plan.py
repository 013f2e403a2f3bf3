"""From a recipe's file to a plan, and the refusal to run one that lacks weights, data or a GPU. Loads no torch."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from skinframe.errors import DataError, Problem, RecipeError
from skinframe.planning import Plan, make_plan
from skinframe.planning.resolve_components import misfits
from skinframe.plugins import load
from skinframe.recipe.load_recipe import compose
from skinframe.recipe.recipe_schema import Recipe
from skinframe.recipe.typed_dataclasses import typed

PROCESS_COUNTS = ("WORLD_SIZE", "OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE")  # as launchers set them
# Each floor closes a published hole: code run from a pickle or a config.json, decoders that allocate without a bound.
FLOORS = {"torch": (2, 10), "transformers": (5, 3), "pillow": (12, 3)}


def plan_of(
    recipe: str | Path,
    presets: Sequence[str] = (),
    overrides: Sequence[str] = (),
    without: Sequence[str] = (),
    plugins: Sequence[str | Path] = (),
) -> Plan:
    """Return the plan of a recipe. Raises RecipeError with every problem at once; loads no weights."""
    data, problems = compose(recipe, presets, overrides, without)
    made, found = typed(Recipe, data, "")
    problems += found
    names = data.get("requires") or []
    if made is None and not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
        raise RecipeError(str(recipe), problems)
    catalog = load(names if made is None else made.requires, [Path(plugin) for plugin in plugins], str(recipe))
    if made is None or problems:
        raise RecipeError(str(recipe), [*problems, *misfits(data, catalog)])
    return make_plan(made, catalog, str(recipe))


def refuse_processes(environment: Mapping[str, str]) -> None:
    """Refuse a run that a launcher started in several processes: each would train alone on the whole data.

    Raises RecipeError; `environment` is `os.environ`.
    """
    for name in PROCESS_COUNTS:
        count = environment.get(name, "")
        if count.isdecimal() and int(count) > 1:
            what = f"says {count} processes, and a run is one process; start it with `skinframe run`"
            raise RecipeError("launcher", [Problem(name, what)])


def refuse_old_libraries(source: str) -> None:
    """Raise RecipeError naming each library below its floor; one that is not installed is no problem."""
    problems = [
        Problem(name, f"version {found} is below {'.'.join(map(str, floor))}; pip install --upgrade {name}")
        for name, floor in FLOORS.items()
        if (found := _version(name)) is not None and _numbers(found) < floor
    ]
    if problems:
        raise RecipeError(source, problems)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:2])


def refuse_missing(plan: Plan) -> None:
    """Refuse a run that lacks something, with the next step for each thing.

    Raises DataError where only data is missing, RecipeError where weights or a GPU are.
    """
    if not plan.missing:
        return
    problems = [Problem(r.kind, f"{r.what}; next: {r.next_step}") for r in plan.missing]
    refusal = RecipeError(plan.source, problems)
    if all(requirement.kind == "data" for requirement in plan.missing):
        raise DataError(str(refusal))
    raise refusal
