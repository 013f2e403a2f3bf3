"""Installed plugins and components as text: plugins from metadata, components by importing the named plugins."""

from __future__ import annotations

import dataclasses
import inspect
import typing
from collections.abc import Sequence
from pathlib import Path

from skinframe.catalog import Entry, Origin
from skinframe.components import KINDS, Loss
from skinframe.errors import Problem, RecipeError, did_you_mean
from skinframe.plugins import installed, load
from skinframe.signals import needs


def plugins() -> str:
    """Return the installed plugins, from their distributions' metadata: nothing is imported."""
    lines = [f"{name:<11} {plugin.origin}" for name, plugin in sorted(installed().items())]
    return "\n".join([*lines, "", "skinframe list PLUGIN … (or --all) imports plugins and lists their components"])


def components(names: Sequence[str]) -> str:
    """Return the components of the named plugins (all of them where none is named), by kind, with their origin."""
    catalog = load(names or sorted(installed()), strict=False)
    lines = []
    for kind in dict.fromkeys((*KINDS, *sorted(kind for kind, _ in catalog.entries))):
        entries = [(name, catalog.entries[kind, name]) for name in catalog.names(kind)]
        lines += [kind, *(f"  {name:<24}{entry.origin!s:<24}{_first_line(entry)}" for name, entry in entries)]
    lines += [f"not loaded: plugin '{name}' failed to load: {reason}" for name, reason in catalog.broken.items()]
    return "\n".join(lines)


def describe(name: str, files: Sequence[Path] = ()) -> str:
    """Return a component's options with types and defaults, its docs and its origin. Raises RecipeError."""
    catalog = load(sorted(installed()), files, strict=False)
    found = [entry for (_, entry_name), entry in catalog.entries.items() if entry_name == name]
    if not found:
        hint = did_you_mean(name, {entry_name for _, entry_name in catalog.entries})
        raise RecipeError("show", [Problem(name, f"no component of this name{hint}")])
    return "\n\n".join(_described(entry) for entry in found)


def registered(kind: str, name: str) -> Origin | None:
    """Return who registers a component of this kind and name, among all plugins that load; None where nobody does."""
    catalog = load(sorted(installed()), strict=False)
    entry = catalog.entries.get((kind, name))
    return None if entry is None else entry.origin


def _first_line(entry: Entry) -> str:
    return entry.component.summary()


def _described(entry: Entry) -> str:
    component = entry.component
    lines = [f"{component.kind} {component.name} · {entry.origin}", "", inspect.getdoc(component) or ""]
    if issubclass(component, Loss):
        lines += ["", f"coupling {component.coupling}, normalised by {component.normalise_by}", "reads"]
        for need in needs(component.forward):
            optional = " (optional)" if need.optional else ""
            lines.append(f"  {need.parameter:<20}[{need.signal.dims}] {need.signal.doc}{optional}")
    lines += ["", "options"]
    hints = typing.get_type_hints(component.Config)
    for field in dataclasses.fields(component.Config):
        lines.append(f"  {field.name:<24}{_type(hints[field.name]):<28} default {_default(field)}")
    if not dataclasses.fields(component.Config):
        lines.append("  none")
    return "\n".join(lines)


def _type(hint: object) -> str:
    return hint.__name__ if isinstance(hint, type) else str(hint).replace("typing.", "")


def _default(field: dataclasses.Field[object]) -> str:
    if field.default is not dataclasses.MISSING:
        return repr(field.default)
    if field.default_factory is not dataclasses.MISSING:
        return repr(field.default_factory())
    return "none: required"
