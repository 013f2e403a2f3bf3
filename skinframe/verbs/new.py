"""`skinframe new`: an installable plugin project for a new component."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from skinframe.components import KINDS
from skinframe.verbs.command_from_signature import Command, Option


def new(
    kind: Annotated[str, Option(f"one of {', '.join(KINDS)}", metavar="KIND")],
    name: Annotated[str, Option("name that recipes will use, for example my_loss", metavar="NAME")],
    *,
    into: Annotated[str | Path, Option("parent folder (default: the current one)", metavar="FOLDER")] = ".",
) -> Path:
    """Write an installable plugin project for a new component and return its folder.

    Raises RecipeError where the kind is unknown, the name is invalid or taken, or the folder exists.
    """
    from skinframe.scaffold import write_project

    return write_project.write(kind, name, Path(into))


def _text(**options: Any) -> str:
    folder, name = new(**options), options["name"]
    lines = [f"{folder}: {', '.join(sorted(path.name for path in folder.iterdir()))}"]
    lines += [f"  check    skinframe check {folder / name}.py"]
    lines += [f"  try      skinframe run RECIPE --plugin {folder / name}.py"]
    return "\n".join([*lines, f"  install  pip install -e {folder}"])


COMMAND = Command("new", new, "create a plugin project: one module, its contract test, a README", _text)
