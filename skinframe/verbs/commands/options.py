"""What several verbs share: where a verb is added, and the options that name a recipe."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skinframe.grid.request import Request
    from skinframe.planning import Plan

    Verbs = argparse._SubParsersAction[argparse.ArgumentParser]
else:
    Verbs = object  # argparse's own class is generic for the type checker only

CACHE = "SKINFRAME_CACHE"  # environment variable that names the feature cache


def recipe_options(command: argparse.ArgumentParser) -> None:
    """Add a recipe and what is laid over it."""
    command.add_argument("recipe", metavar="RECIPE", help="a recipe file, for example recipes/cfa_full.yaml")
    command.add_argument(
        "--preset", action="append", default=[], metavar="NAME", help="lay presets/NAME.yaml over the recipe, in order"
    )
    command.add_argument(
        "--set", action="append", default=[], metavar="PATH=VALUE", dest="overrides", help="set one path, last of all"
    )
    command.add_argument("--without", action="append", default=[], metavar="KIND.NAME", help="disable a component")
    command.add_argument("--plugin", action="append", default=[], metavar="FILE", help="load a one-file plugin")


def planned(options: argparse.Namespace) -> Plan:
    """Return the plan that the recipe options name. Raises RecipeError with every problem at once."""
    from skinframe.planning.load_plan import plan_of

    return plan_of(options.recipe, options.preset, options.overrides, options.without, options.plugin)


def requested(options: argparse.Namespace) -> Request:
    """Return the recipe options as a plain value, which an engine can send anywhere."""
    from skinframe.grid.request import asked

    return asked(options.recipe, options.preset, options.overrides, options.without, options.plugin)
