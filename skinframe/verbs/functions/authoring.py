"""Look at components, write new ones, check them.

Each function imports what it needs when it is called.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skinframe.contracts import Verdict

Paths = Sequence[str | Path]


def show(component: str, *, plugins: Paths = ()) -> str:
    """Return a component's options, docs and origin as text. Raises RecipeError where there is none of that name."""
    from skinframe.inventory import describe

    return describe(component, [Path(file) for file in plugins])


def new(kind: str, name: str, *, into: str | Path = ".") -> Path:
    """Write an installable plugin project for a new component and return its folder.

    Raises RecipeError where the kind is unknown, the name cannot be one or is taken, or the folder exists.
    """
    from skinframe.scaffold import write

    return write(kind, name, Path(into))


def check(plugin: str | Path, name: str | None = None) -> Verdict:
    """Hold a plugin (installed, or a Python file) to the contracts of its kinds; `name` picks one component.

    Needs pytest and hypothesis. Raises RecipeError where there is no such plugin or component.
    """
    from skinframe.checking import verdict

    return verdict(str(plugin), name)
