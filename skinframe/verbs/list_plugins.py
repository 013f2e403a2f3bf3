"""`skinframe list`: installed plugins and the components that they register."""

from __future__ import annotations

from typing import Annotated

from skinframe.verbs.command_from_signature import Command, Option


def list_plugins(
    *plugins: Annotated[str, Option("import these plugins and list their components", metavar="PLUGIN")],
    all: Annotated[bool, Option("import every installed plugin")] = False,
) -> str:
    """Return the installed plugins as text; with names, or with `all`, the components that they register.

    Raises RecipeError where no plugin of a name is installed.
    """
    from skinframe import installed_components

    return installed_components.components(plugins) if plugins or all else installed_components.plugins()


COMMAND = Command("list", list_plugins, "list installed plugins; with names, their components")
