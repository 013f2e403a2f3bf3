"""Keys of a recipe with types and defaults, and excerpts of the main one."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import itertools
import re
import textwrap
import typing
from pathlib import Path

from skinframe.planning.loss_schedule import Schedule
from skinframe.recipe import recipe_schema
from tables.text import table

RECIPE = Path(__file__).parents[2] / "recipes" / "cfa_full.yaml"


def meanings(owner: type) -> dict[str, str]:
    """Return the sentence under each field of a dataclass of the schema."""
    (made,) = ast.parse(textwrap.dedent(inspect.getsource(owner))).body
    assert isinstance(made, ast.ClassDef)
    said = {}
    for field, text in itertools.pairwise(made.body):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            said[field.target.id] = " ".join(str(text.value.value).split())  # type: ignore[union-attr]
    return said


def recipe_table() -> str:
    """Every key of a recipe with type, default and meaning; KeyError for one that the schema does not explain."""
    hints = typing.get_type_hints(recipe_schema.Recipe)
    top = meanings(recipe_schema.Recipe)
    rows = [(f"`{field.name}`", "", "", top[field.name]) for field in dataclasses.fields(recipe_schema.Recipe)]
    for section in ("split", "audit", "images", "outputs", "train", "select", "evaluate"):
        owner = hints[section]
        own, said = typing.get_type_hints(owner), meanings(owner)
        for field in dataclasses.fields(owner):
            hint = own[field.name]
            shown = hint.__name__ if isinstance(hint, type) else str(hint).replace("typing.", "")
            made = field.default_factory
            default = field.default if made is dataclasses.MISSING else made()
            name = f"`{section}.{field.name}`"
            rows.append((name, f"`{shown}`", f"`{default!r}`", said[field.name]))
    return table(("key", "type", "default", "meaning"), rows)


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
    return excerpt("name", "requires", "data", "prompt", "encoders", "reasoner", "heads", "losses", "calibrator")


def recipe_losses() -> str:
    return excerpt("losses")
