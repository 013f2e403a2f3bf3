"""Verbs of plugins: found by name, in the command line and in Python."""

from __future__ import annotations

import argparse
import dataclasses
import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

from skinframe.components import Verb
from skinframe.errors import Problem, RecipeError, did_you_mean
from skinframe.printable_text import say
from skinframe.verbs.command_from_signature import Option, Parameter


def verb(name: str, /, *, plugins: Sequence[str | Path] = (), **options: Any) -> object:
    """Run the verb that an installed plugin, or one of the plugin files, registers under `name`; return its value.

    `options` are the fields of the verb's Config. Raises RecipeError for an unknown verb or option, or one that is
    missing, and whatever the verb raises.
    """
    found = plugin_verbs(plugins)
    if name not in found:
        what = f"no plugin registers a verb of this name{did_you_mean(name, found)}"
        raise RecipeError("verb", [Problem(name, what)])
    fields = {field.name: field for field in dataclasses.fields(found[name].Config)}
    problems = [
        Problem(f"{name}.{key}", f"no such option{did_you_mean(key, fields)}") for key in options if key not in fields
    ]
    problems += [
        Problem(f"{name}.{field.name}", "is required and missing")
        for field in fields.values()
        if _default(field) is inspect.Parameter.empty and field.name not in options
    ]
    if problems:
        raise RecipeError("verb", problems)
    return _run(found[name], options)


def plugin_verbs(plugins: Sequence[str | Path] = ()) -> dict[str, type[Verb]]:
    """Return the verbs of all installed plugins that load and of the plugin files, by name. Raises RecipeError."""
    from skinframe.plugins import installed, load

    catalog = load(sorted(installed()), [Path(file) for file in plugins], strict=False)
    components = {name: catalog.entries["verb", name].component for name in catalog.names("verb")}
    return {name: component for name, component in components.items() if issubclass(component, Verb)}


@dataclass(frozen=True)
class PluginCommand:
    """A plugin's verb in the command line; its options are the fields of its Config."""

    verb: type[Verb]

    @property
    def name(self) -> str:
        return self.verb.name

    @property
    def help(self) -> str:
        return self.verb.help

    def add_to(self, parser: argparse.ArgumentParser) -> None:
        """Declare the verb's options on the command's parser."""
        for parameter in _parameters(self.verb):
            parameter.add_to(parser)
        parser.set_defaults(command=self)

    def run(self, options: argparse.Namespace) -> None:
        """Run the verb with the parsed options and print what it returns."""
        values = {parameter.name: getattr(options, parameter.name) for parameter in _parameters(self.verb)}
        shown = _run(self.verb, values)
        if shown is not None:
            say(shown)


def _run(kind: type[Verb], options: dict[str, Any]) -> object:
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in options.items()}
    try:
        config = kind.Config(**values)
    except (ValueError, TypeError) as error:  # a range check in __post_init__
        raise RecipeError("verb", [Problem(kind.name, str(error))]) from error
    return kind(config).run()


def _parameters(kind: type[Verb]) -> Iterator[Parameter]:
    hints = get_type_hints(kind.Config)
    for field in dataclasses.fields(kind.Config):
        default = _default(field)
        option = Option(field.metadata.get("help", ""), metavar=field.metadata.get("metavar", ""))
        positional = default is inspect.Parameter.empty
        yield Parameter(field.name, hints[field.name], default, option, positional)


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return inspect.Parameter.empty
