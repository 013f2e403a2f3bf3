"""`skinframe list`: installed plugins and the components that they register."""

from __future__ import annotations

from typing import Annotated

from skinframe.verbs.command_from_signature import Command, Option


def list_plugins(
    *plugins: Annotated[str, Option("import these plugins and list their components", metavar="PLUGIN")],
    all: Annotated[bool, Option("import every installed plugin")] = False,
    recipes: Annotated[bool, Option("list the recipes and presets that are installed with skinframe")] = False,
) -> str:
    """Return the installed plugins as text; with names, or with `all`, the components that they register; with
    `recipes`, the recipes and presets that can be named.

    Raises RecipeError where no plugin of a name is installed.
    """
    if recipes:
        from skinframe.recipe.shipped_recipes import listing

        return listing()
    from skinframe import installed_components

    return installed_components.components(plugins) if plugins or all else installed_components.plugins()


COMMAND = Command(
    "list", list_plugins, "list installed plugins; with names, their components; with --recipes, recipes and presets"
)
