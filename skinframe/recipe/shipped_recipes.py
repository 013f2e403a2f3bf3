"""Recipes and presets that are installed with skinframe, found by name; `recipes/` in a clone is the only copy."""

from __future__ import annotations

import os
import re
from pathlib import Path

from skinframe.errors import Problem, RecipeError, did_you_mean

SUFFIXES = (".yaml", ".yml")
PRESETS = "presets"


def folder() -> Path:
    """Return the folder of recipes: in an installed wheel inside the package, in a clone beside it."""
    package = Path(__file__).resolve().parent.parent
    inside, clone = package / "recipes", package.parent
    return clone / "recipes" if not inside.is_dir() and (clone / "pyproject.toml").is_file() else inside


def recipes() -> dict[str, Path]:
    """Return the recipes by name: the file's own, without its folder and suffix."""
    files = (file for file in folder().rglob("*.yaml") if file.parent.name != PRESETS)
    return {file.stem: file for file in sorted(files)}


def presets(*beside: Path) -> dict[str, Path]:
    """Return the presets by name: those in the folder `presets` of `beside`, then those of skinframe."""
    known: dict[str, Path] = {}
    for parent in (*beside, folder()):
        for file in sorted((parent / PRESETS).glob("*.yaml")):
            known.setdefault(file.stem, file)
    return known


def is_recipe(text: str | Path) -> bool:
    """Return whether the text names a recipe: a YAML file, or one of skinframe's own."""
    return str(text).endswith(SUFFIXES) or str(text) in recipes()


def find_recipe(text: str | Path, beside: Path | None = None) -> Path:
    """Return the file of a recipe: a path, from `beside` where it is relative, or the name of one of skinframe's own.

    A file wins over a name. Raises RecipeError with the nearest name.
    """
    path = Path(text) if beside is None else beside / text
    if _is_file(path):
        return path
    known = recipes()
    if str(text) in known:
        return known[str(text)]
    if not str(text).endswith(SUFFIXES):
        what = "is a folder; name the recipe in it" if os.path.isdir(path) else "no file and no recipe of this name"
        raise RecipeError(str(text), [Problem("recipe", f"{what}{did_you_mean(str(text), known)}")])
    stem = Path(text).stem
    if os.path.lexists(path):
        return path  # a folder or a pipe: reading it says so
    hint = f"; skinframe has a recipe '{stem}': write the name without folder and .yaml" if stem in known else ""
    raise RecipeError(str(path), [Problem("file", f"no such file{hint}")])


def find_preset(recipe: Path, name: str) -> Path:
    """Return the file of a preset: a path as given; else `presets/NAME.yaml` beside the recipe, one folder above, or
    one of skinframe's own. Raises RecipeError with the nearest name."""
    if name.endswith(SUFFIXES):
        return Path(name)
    known = presets(recipe.parent, recipe.parent.parent)
    if name not in known:
        raise RecipeError(str(recipe), [Problem("--preset", f"no preset named '{name}'{did_you_mean(name, known)}")])
    return known[name]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that no file can have
        return False


def listing() -> str:
    """Return every recipe and preset, each with the first line of its comment, and the folder."""
    lines = []
    for title, files in (("recipes", recipes()), ("presets", presets())):
        lines += [title, *(f"  {name:<22} {_about(file)}" for name, file in files.items()), ""]
    return "\n".join([*lines, f"files: {folder()}", "a recipe of your own can begin with `extends: NAME`"])


def _about(file: Path) -> str:
    """Return the first sentence of the comment that a recipe begins with."""
    comment: list[str] = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line.startswith("# ") or line.startswith(("# Run:", "# Needs", "# Combine")):
            break
        comment.append(line[2:].strip())
    return re.split(r"(?<=\w\w)\. ", " ".join(comment))[0].rstrip(".")
