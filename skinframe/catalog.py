"""The catalog: a frozen value from (kind, name) to a component class and where it came from."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from skinframe.aliases import component_name
from skinframe.components import KINDS, Column, Component, Loss
from skinframe.errors import did_you_mean
from skinframe.signals import Signal, needs


@dataclass(frozen=True)
class Origin:
    """Who registered a component: a plugin's name, its distribution and version, or a file and its digest."""

    plugin: str
    distribution: str
    version: str

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}"


@dataclass(frozen=True)
class Entry:
    """One registered component class."""

    component: type[Component]
    origin: Origin


@dataclass(frozen=True)
class Catalog:
    """Everything the loaded plugins registered, and what went wrong with those that did not load."""

    entries: Mapping[tuple[str, str], Entry]
    origins: Mapping[str, Origin] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)

    def names(self, kind: str) -> list[str]:
        return sorted(name for entry_kind, name in self.entries if entry_kind == kind)

    def find(self, kind: str, name: str) -> Entry:
        """Return the entry. Raises LookupError with a did-you-mean, naming plugins that failed to load."""
        names = self.names(kind)
        entry = self.entries.get((kind, component_name(kind, name, names)))
        if entry is not None:
            return entry
        hint = did_you_mean(name, names)
        other = [entry_kind for entry_kind, entry_name in self.entries if entry_name == name]
        if other:
            hint = f"; '{name}' is a {other[0]}"
        failed = f" (not loaded: {', '.join(sorted(self.broken))})" if self.broken else ""
        raise LookupError(f"no {kind} named '{name}'{hint}{failed}")


def build_catalog(
    registered: Iterable[tuple[type[Component], Origin]], broken: Mapping[str, str], origins: Mapping[str, Origin]
) -> tuple[Catalog, list[str]]:
    """Freeze what was registered; return the catalog and every clash or malformed class, one sentence each."""
    entries: dict[tuple[str, str], Entry] = {}
    problems = []
    for component, origin in registered:
        try:
            flaw = malformed(component)
        except Exception as error:  # a stranger's class may raise anything when it is looked at
            flaw = f"cannot be inspected ({type(error).__name__})"
        if flaw:
            problems.append(f"{getattr(component, '__qualname__', repr(component))} of {origin}: {flaw}")
            continue
        key = (component.kind, component.name)
        if key in entries and entries[key].component is not component:
            both = f"{_where(entries[key])} and {_where(Entry(component, origin))}"
            problems.append(f"two plugins register the {key[0]} '{key[1]}': {both}; rename or remove one")
            continue
        entries[key] = Entry(component, origin)
    return Catalog(entries, dict(origins), dict(broken)), problems


def _where(entry: Entry) -> str:
    """Return the origin of a component with the file that it stands in."""
    module = sys.modules.get(entry.component.__module__)
    file = getattr(module, "__file__", None)
    return f"{entry.origin} ({file})" if file else str(entry.origin)


def malformed(component: type[Component]) -> str | None:
    """Say what keeps a class out of the catalog, or None."""
    if not isinstance(component, type) or not issubclass(component, Component) or component in KINDS.values():
        return "is not a component class; subclass one of skinframe.Loss, skinframe.Encoder, …"
    if issubclass(component, Column) and not isinstance(getattr(component, "signal", None), Signal):
        return "has no `signal`; set it to the skinframe.signals.Signal that the column provides"
    if not isinstance(getattr(component, "name", None), str):
        return 'has no `name`; add `name = "…"`, which recipes use'
    config = component.Config
    parameters = getattr(config, "__dataclass_params__", None)
    if parameters is None or not parameters.frozen or not all(f.kw_only for f in dataclasses.fields(config)):
        return "its Config is not a frozen keyword-only dataclass; write `@dataclass(frozen=True, kw_only=True)`"
    if issubclass(component, Loss):
        return _malformed_loss(component)
    missing = sorted(getattr(component, "__abstractmethods__", ()))
    return f"does not implement {', '.join(missing)}" if missing else None


def _malformed_loss(loss: type[Loss]) -> str | None:
    if getattr(loss, "coupling", None) not in ("per_sample", "pairwise_additive", "batch"):
        return "has no `coupling`; set it to 'per_sample', 'pairwise_additive' or 'batch'"
    if not callable(getattr(loss, "forward", None)):
        return "has no `forward`"
    try:
        needs(loss.forward)
    except TypeError as error:
        return str(error)
    return None
