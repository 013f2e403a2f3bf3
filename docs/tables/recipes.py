"""Keys of a recipe with types and defaults, and excerpts of the main one."""

from __future__ import annotations

import dataclasses
import re
import typing
from pathlib import Path

from skinframe.planning.loss_schedule import Schedule
from skinframe.recipe import recipe_schema
from tables.text import table

RECIPE = Path(__file__).parents[2] / "recipes" / "cfa_full.yaml"


def recipe_table() -> str:
    """Every key of a recipe's own sections with type and default."""
    rows = []
    for section in ("split", "audit", "images", "outputs", "train", "select", "evaluate"):
        owner = typing.get_type_hints(recipe_schema.Recipe)[section]
        hints = typing.get_type_hints(owner)
        for field in dataclasses.fields(owner):
            hint = hints[field.name]
            shown = hint.__name__ if isinstance(hint, type) else str(hint).replace("typing.", "")
            made = field.default_factory
            default = field.default if made is dataclasses.MISSING else made()
            rows.append((f"`{section}.{field.name}`", f"`{shown}`", f"`{default!r}`"))
    return table(("key", "type", "default"), rows)


def schedule_table() -> str:
    """Every key of a weight's schedule with type and default."""
    hints = typing.get_type_hints(Schedule)
    rows = []
    for field in dataclasses.fields(Schedule):
        hint = hints[field.name]
        shown = hint.__name__ if isinstance(hint, type) else str(hint).replace("typing.", "")
        default = "required" if field.default is dataclasses.MISSING else f"`{field.default!r}`"
        rows.append((f"`{field.name}`", f"`{shown}`", default))
    return table(("key", "type", "default"), rows)


def excerpt(*sections: str) -> str:
    """Some sections of the main recipe, word for word."""
    text = RECIPE.read_text(encoding="utf-8")
    found = re.findall(r"^(\w+):(.*\n(?:(?: .*)?\n)*)", text, re.MULTILINE)
    lines = "".join(f"{key}:{rest.rstrip()}\n" for key, rest in found if key in sections)
    return f"```yaml\n{lines}```"


def recipe_core() -> str:
    return excerpt("data", "encoders", "reasoner", "heads", "losses", "calibrator")


def recipe_losses() -> str:
    return excerpt("losses")
