"""Find plugins by metadata, import only those that a recipe names, isolate the broken ones."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy

from skinframe import hookspecs
from skinframe.catalog import Catalog, Origin, build_catalog
from skinframe.components import Component
from skinframe.errors import Problem, RecipeError, did_you_mean
from skinframe.version import __version__

FIRST_PARTY = ("cfa", "clip", "derm", "example", "qwen", "tiny")


@dataclass(frozen=True)
class Installed:
    """A plugin as its distribution's metadata tells it; nothing of it has been imported."""

    name: str
    entry: EntryPoint
    origin: Origin


def installed() -> dict[str, Installed]:
    """Return every installed plugin by name. Imports none of them."""
    found = {}
    for entry in entry_points(group="skinframe"):
        dist = entry.dist
        origin = Origin(entry.name, dist.name if dist else "?", dist.version if dist else "?")
        found[entry.name] = Installed(entry.name, entry, origin)
    return found


def load(names: Iterable[str], files: Sequence[Path] = (), source: str = "plugins") -> Catalog:
    """Import the named plugins and plugin files, and freeze what they and the engine register.

    A plugin that raises on import is recorded in `catalog.broken` and stops nothing else.
    Raises RecipeError for a plugin that is not installed, a misspelt hook, a malformed class or a name clash.
    """
    from skinframe import defaults

    manager = pluggy.PluginManager("skinframe")
    manager.add_hookspecs(hookspecs)
    origins: dict[str, Origin] = {"skinframe": Origin("skinframe", "skinframe", __version__)}
    manager.register(defaults, name="skinframe")
    broken: dict[str, str] = {}
    known = installed()
    problems = []
    for name in dict.fromkeys(names):
        if name not in known:
            problems.append(Problem("requires", _not_installed(name, known)))
            continue
        origins[name] = known[name].origin
        try:
            manager.register(known[name].entry.load(), name=name)
        except Exception as error:  # a stranger's import may raise anything; it must not stop the rest
            broken[name] = f"{type(error).__name__}: {error}"
            problems.append(Problem("requires", f"plugin '{name}' failed to load: {broken[name]}"))
    for path in files:
        origin, module = _load_file(path)
        if origin.plugin in origins:
            problems.append(Problem("--plugin", f"two plugin files are named '{path.name}'; rename one"))
            continue
        origins[origin.plugin] = origin
        manager.register(module, name=origin.plugin)
    problems += _misspelt(manager)
    registered, flaws = _registered(manager, origins)
    catalog, clashes = build_catalog(registered, broken, origins)
    problems += [Problem("plugins", flaw) for flaw in flaws + clashes]
    if problems:
        raise RecipeError(source, problems)
    return catalog


def _registered(
    manager: pluggy.PluginManager, origins: dict[str, Origin]
) -> tuple[list[tuple[type[Component], Origin]], list[str]]:
    """Call every hook; return what was registered, and what a hook did instead of giving a list of classes."""
    found: list[tuple[type[Component], Origin]] = []
    flaws = []
    for hook in vars(manager.hook).values():
        for implementation in hook.get_hookimpls() if isinstance(hook, pluggy.HookCaller) else ():
            origin = origins[implementation.plugin_name]
            where = f"{hook.name} of {origin}"
            try:
                components: Any = implementation.function()
            except Exception as error:  # a stranger's hook may raise anything
                flaws.append(f"{where}: {type(error).__name__}: {error}")
                continue
            if isinstance(components, list | tuple):
                found += [(component, origin) for component in components]
            else:
                flaws.append(f"{where}: expected a list of component classes, got {components!r}")
    return found, flaws


def _misspelt(manager: pluggy.PluginManager) -> list[Problem]:
    hooks = [name for name in vars(hookspecs) if name.startswith("register_")]
    problems = []
    for name, plugin in manager.list_name_plugin():
        for attribute in dir(plugin):
            marked = getattr(getattr(plugin, attribute, None), "skinframe_impl", None)
            if marked and attribute not in hooks:
                hint = did_you_mean(attribute, hooks)
                problems.append(Problem(f"plugin '{name}'", f"there is no hook '{attribute}'{hint}"))
    return problems


def _not_installed(name: str, known: dict[str, Installed]) -> str:
    if name in FIRST_PARTY:
        return f"plugin '{name}' is not installed; run `pip install skinframe-{name}`"
    return f"no plugin '{name}' is installed{did_you_mean(name, known)}"


def _load_file(path: Path) -> tuple[Origin, ModuleType]:
    """Import a one-file plugin. It is the user's own code, named on the command line, never by a recipe."""
    if not path.is_file():
        raise RecipeError("plugin file", [Problem(str(path), "no such file")])
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    name = f"file:{path.name}"
    spec = importlib.util.spec_from_file_location(f"skinframe_file_{path.stem}_{digest[:8]}", path)
    if spec is None or spec.loader is None:
        raise RecipeError("plugin file", [Problem(str(path), "is not a Python file")])
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses and signal annotations look their module up by name
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise RecipeError("plugin file", [Problem(str(path), f"{type(error).__name__}: {error}")]) from error
    if not any(hasattr(value, "skinframe_impl") for value in vars(module).values()):
        what = "registers nothing; mark a function with @skinframe.hookimpl, for example register_losses"
        raise RecipeError("plugin file", [Problem(str(path), what)])
    return Origin(name, path.name, f"sha256:{digest[:12]}"), module
