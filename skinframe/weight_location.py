"""Where weights stand: `embedded:NAME` is a folder shipped by a plugin, anything else a path or a hub id."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path

from skinframe.errors import Problem, RecipeError, did_you_mean

PREFIX = "embedded:"


def resolve(name: str) -> Path:
    """Return the folder of `embedded:NAME`, through the entry-point group `skinframe.weight_location`.

    Raises RecipeError where no installed plugin ships that name.
    """
    wanted = name.removeprefix(PREFIX)
    shipped = {entry.name: entry for entry in entry_points(group="skinframe.weight_location")}
    if wanted not in shipped:
        hint = did_you_mean(wanted, shipped) or "; install skinframe-tiny, which ships the embedded weights"
        raise RecipeError("weights", [Problem(name, f"no plugin ships weights named '{wanted}'{hint}")])
    path: Path = shipped[wanted].load()()
    return path
