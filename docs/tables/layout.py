"""Rooms, single modules and the direction of imports, read from the source text and pyproject.toml; imports nothing."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

from tables.text import table

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "skinframe"


def room_table() -> str:
    """Every package of skinframe with the first line of its docstring."""
    return table(("room", "purpose"), [_row(path.parent) for path in sorted(PACKAGE.glob("*/__init__.py"))])


def module_table() -> str:
    """Every single module of skinframe with the first line of its docstring."""
    modules = [path for path in sorted(PACKAGE.glob("*.py")) if path.name != "__init__.py"]
    return table(("module", "purpose"), map(_row, modules))


def import_layers() -> str:
    """The layers that import-linter proves, from the top to the bottom."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (layers,) = [each["layers"] for each in settings["tool"]["importlinter"]["contracts"] if each["type"] == "layers"]
    return "\n".join(["```text", *(layer.replace(" | ", " · ") for layer in layers), "```"])


def _row(path: Path) -> tuple[str, str]:
    source = path / "__init__.py" if path.is_dir() else path
    text = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or ""
    return f"`{path.name}/`" if path.is_dir() else f"`{path.name}`", text.partition("\n")[0]
