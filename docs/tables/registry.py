"""Signals, hooks, components and the options of losses, as the registries have them."""

from __future__ import annotations

import dataclasses

from skinframe import hookspecs, plugins, signals
from skinframe.components import KINDS, Loss
from tables.text import first_line, table


def signal_table() -> str:
    """Every signal that the engine names."""
    found = [(name, signals.signal_of(value)) for name, value in vars(signals).items()]
    rows = [(f"`{s.name}`", f"`{n}`", f"`[{s.dims}]`", s.kind, s.doc) for n, s in found if s is not None]
    return table(("signal", "annotation", "dims", "kind", "meaning"), rows)


def hook_table() -> str:
    """Every hook, in the order of hookspecs.py."""
    hooks = [(name, value) for name, value in vars(hookspecs).items() if name.startswith("register_")]
    rows = []
    for name, hook in hooks:
        returns = str(hook.__annotations__["return"]).replace("list[type[", "list[type[skinframe.")
        rows.append((f"`{name}()`", f"`{returns}`", first_line(hook)))
    return table(("hook", "returns", "what"), rows)


def component_table() -> str:
    """Every component of the engine and of the first-party plugins."""
    catalog = plugins.load(sorted(plugins.installed()))
    rows = []
    for kind in KINDS:
        for name in catalog.names(kind):
            entry = catalog.entries[kind, name]
            rows.append((kind, f"`{name}`", entry.origin.distribution, first_line(entry.component)))
    return table(("kind", "`use`", "from", "what"), rows)


def loss_table() -> str:
    """The losses of skinframe-cfa: coupling and options with defaults."""
    catalog = plugins.load(["cfa"])
    rows = []
    for name in catalog.names("loss"):
        component = catalog.entries["loss", name].component
        if not issubclass(component, Loss):
            raise TypeError(f"{name} is registered as a loss and is none")
        fields = dataclasses.fields(component.Config)
        options = ", ".join(f"`{field.name}: {field.default}`" for field in fields)
        rows.append((f"`{name}`", component.coupling.replace("_", " "), options or "none"))
    return table(("`use`", "coupling", "options and defaults"), rows)
