"""`skinframe show`: one component, its options and where it comes from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from skinframe.verbs.command_from_signature import Command, Option
from skinframe.verbs.shared_options import Plugins


def show(
    component: Annotated[str, Option("registered name, for example focal", metavar="COMPONENT")],
    *,
    plugins: Plugins = (),
) -> str:
    """Return a component's options, documentation and origin as text. Raises RecipeError for an unknown name."""
    from skinframe.installed_components import describe

    return describe(component, [Path(file) for file in plugins])


COMMAND = Command("show", show, "show a component: options with types and defaults, documentation, origin")
