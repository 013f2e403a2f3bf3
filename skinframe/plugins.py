"""Find plugins by metadata, import only those that a recipe names, isolate the broken ones."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, requires
from pathlib import Path
from types import ModuleType

import pluggy

from skinframe import hookspecs
from skinframe.aliases import plugin_name
from skinframe.catalog import Catalog, Origin, build_catalog
from skinframe.components import Component
from skinframe.errors import Problem, RecipeError, did_you_mean
from skinframe.hookmarker import MARK
from skinframe.printable_text import printable
from skinframe.untrusted_files import UnreadableError, sha256_of
from skinframe.version import __version__

ENGINE = "skinframe"


@dataclass(frozen=True)
class Installed:
    """A plugin according to its distribution's metadata; nothing of it has been imported."""

    name: str
    entry: EntryPoint
    origin: Origin
    rivals: tuple[Origin, ...] = ()  # other distributions that provide a plugin of this name


def installed() -> dict[str, Installed]:
    """Return every installed plugin by name. Imports none of them."""
    return {name: plugin for name, plugin in _registered_names().items() if name != ENGINE}


def _registered_names() -> dict[str, Installed]:
    """Return every entry point of the group by name; the engine's own components are one of them."""
    known: dict[str, Installed] = {}
    for entry in entry_points(group=ENGINE):
        dist = entry.dist
        origin = Origin(entry.name, dist.name if dist else "?", dist.version if dist else "?")
        other = known.get(entry.name)
        rivals = () if other is None or other.origin == origin else (*other.rivals, other.origin)
        known[entry.name] = Installed(entry.name, entry, origin, rivals)
    return known


def load(names: Iterable[str], files: Sequence[Path] = (), source: str = "plugins", *, strict: bool = True) -> Catalog:
    """Import the named plugins and plugin files, and freeze what they and the engine register.

    A plugin that raises on import is recorded in `catalog.broken`, and is an error unless `strict` is False.
    Raises RecipeError for a plugin that is not installed, an unknown hook, a malformed class or a name clash.
    """
    loading = _Loading()
    known = installed()
    for name in dict.fromkeys(plugin_name(name, known) for name in names):
        if name not in known:
            loading.problems.append(Problem("requires", _not_installed(name, known)))
        else:
            loading.add_installed(known[name], strict)
    for path in files:
        loading.add_file(path)
    catalog = loading.freeze()
    if loading.problems:
        raise RecipeError(source, loading.problems)
    return catalog


def provider_of(kind: str, name: str) -> str | None:
    """Return the installed plugin that registers a component, None where none does; imports all that load.

    Only for the message about a component that the loaded plugins lack.
    """
    try:
        everything = load(sorted(installed()), strict=False)
        return everything.find(kind, name).origin.plugin
    except (LookupError, RecipeError):
        return None


class _Loading:
    """What has been registered so far, by whom, and what was wrong."""

    def __init__(self) -> None:
        self.manager = pluggy.PluginManager(ENGINE)
        self.manager.add_hookspecs(hookspecs)
        self.origins: dict[str, Origin] = {}
        self.broken: dict[str, str] = {}
        self.problems: list[Problem] = []
        engine = _registered_names().get(ENGINE)
        if engine is None:
            what = "its own components are not registered by this installation; reinstall it (in a clone: `uv sync`)"
            raise RecipeError("plugins", [Problem(ENGINE, what)])
        self.add_installed(replace(engine, origin=Origin(ENGINE, ENGINE, __version__)), strict=True)

    def add_installed(self, plugin: Installed, strict: bool) -> None:
        if plugin.rivals:
            both = " and ".join(sorted(map(str, (plugin.origin, *plugin.rivals))))
            what = f"two distributions provide the plugin '{plugin.name}': {both}; uninstall one"
            self.problems.append(Problem("requires", what))
            return
        self.origins[plugin.name] = plugin.origin
        try:
            module = plugin.entry.load()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a stranger's import may raise anything, also SystemExit; the rest goes on
            self.broken[plugin.name] = _one_line(error)
            if strict:
                what = f"plugin '{plugin.name}' failed to load: {self.broken[plugin.name]}"
                self.problems.append(Problem("requires", what))
            return
        self._register(module, plugin.name, strict)

    def add_file(self, path: Path) -> None:
        origin, module = _load_file(path)
        if origin.plugin in self.origins:
            self.problems.append(Problem("--plugin", f"two plugin files are named '{path.name}'; rename one"))
            return
        self.origins[origin.plugin] = origin
        self._register(module, origin.plugin, strict=True)

    def _register(self, module: object, name: str, strict: bool) -> None:
        try:
            self.manager.register(module, name=name)
        except KeyboardInterrupt:
            raise
        except pluggy.PluginValidationError as error:  # its first line repeats the plugin
            what = " ".join(" ".join(str(error).splitlines()[1:]).removeprefix("hookimpl definition: ").split())
            self.problems.append(Problem(f"plugin '{name}'", f"{what}; write the hook as its specification has it"))
        except BaseException as error:  # its `__getattr__` may raise anything
            if self.manager.has_plugin(name):
                self.manager.unregister(name=name)
            self.broken[name] = _one_line(error)
            if strict:
                self.problems.append(Problem(f"plugin '{name}'", f"failed to load: {self.broken[name]}"))

    def freeze(self) -> Catalog:
        self._refuse_unknown_hooks()
        catalog, clashes = build_catalog(self._registered(), self.broken, self.origins)
        self.problems += [Problem("plugins", clash) for clash in clashes]
        return catalog

    def _refuse_unknown_hooks(self) -> None:
        try:
            self.manager.check_pending()
        except pluggy.PluginValidationError:  # it names the first; a user wants all of them
            hooks = self._hooks()
            for hook in hooks:
                hint = did_you_mean(hook.name, [other.name for other in hooks if other.has_spec()])
                for each in () if hook.has_spec() else hook.get_hookimpls():
                    if not each.optionalhook:
                        what = f"there is no hook '{hook.name}'{hint}"
                        self.problems.append(Problem(f"plugin '{each.plugin_name}'", what))

    def _hooks(self) -> list[pluggy.HookCaller]:
        return [hook for hook in vars(self.manager.hook).values() if isinstance(hook, pluggy.HookCaller)]

    def _registered(self) -> list[tuple[type[Component], Origin]]:
        """Call every hook of every plugin; what does not return a list of classes is a problem."""
        registered: list[tuple[type[Component], Origin]] = []
        for hook in self._hooks():
            for each in hook.get_hookimpls() if hook.has_spec() else ():
                origin = self.origins[each.plugin_name]
                where = f"{hook.name} of {origin}"
                try:
                    components: object = each.function()
                except KeyboardInterrupt:
                    raise
                except BaseException as error:  # a stranger's hook may raise anything
                    self.problems.append(Problem("plugins", f"{where}: {_one_line(error)}"))
                    continue
                if isinstance(components, list | tuple):
                    registered += [(component, origin) for component in components]
                else:
                    what = f"{where}: expected a list of component classes, got {components!r}"
                    self.problems.append(Problem("plugins", what))
        return registered


def _one_line(error: BaseException) -> str:
    try:
        words = str(error).split()
    except Exception:
        words = ["its message cannot be shown"]
    return printable(" ".join([f"{type(error).__name__}:", *words])[:500])


def _not_installed(name: str, known: Mapping[str, Installed]) -> str:
    distribution = f"skinframe-{name}"
    if distribution in _own_distributions():
        return f"plugin '{name}' is not installed; run `pip install {distribution}`"
    return f"no plugin '{name}' is installed{did_you_mean(name, known)}"


def _own_distributions() -> set[str]:
    """Return the distributions of the extra `all`, which skinframe's own metadata names."""
    try:
        lines = requires(ENGINE) or []
    except PackageNotFoundError:
        return set()
    return {line.partition(";")[0].strip() for line in lines if 'extra == "all"' in line.replace("'", '"')}


def _load_file(path: Path) -> tuple[Origin, ModuleType]:
    """Import a one-file plugin. It is the user's own code, named on the command line, never by a recipe."""
    try:
        digest = sha256_of(path)
    except UnreadableError as error:
        raise RecipeError("plugin file", [Problem(error.where, error.reason)]) from error
    name = f"file:{path.name}"
    spec = importlib.util.spec_from_file_location(f"skinframe_file_{path.stem}_{digest[:8]}", path)
    if spec is None or spec.loader is None:
        raise RecipeError("plugin file", [Problem(str(path), "is not a Python file")])
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses and signal annotations look their module up by name
    try:
        spec.loader.exec_module(module)
        registers = any(hasattr(value, MARK) for value in vars(module).values())
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit, too
        raise RecipeError("plugin file", [Problem(str(path), _one_line(error))]) from error
    if not registers:
        what = "registers nothing; mark a function with @skinframe.hookimpl, for example register_losses"
        raise RecipeError("plugin file", [Problem(str(path), what)])
    return Origin(name, path.name, f"sha256:{digest[:12]}"), module
