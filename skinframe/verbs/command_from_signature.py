"""A command of the command line, made from the signature of a Python function or from the options of a plugin's verb.

An option is declared once: the parameter's type says what is parsed, its default whether it may be left out, and an
`Option` in its `Annotated` type holds the line of `--help`.
"""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, Unpack, get_args, get_origin, get_type_hints

from skinframe.printable_text import say


@dataclass(frozen=True)
class Option:
    """How a parameter looks in the command line.

    `flag` makes a parameter that may be positional in Python an option, or renames it: `presets` is `--preset`, once
    for each value. `parse` turns one word into the value, or into one pair of a mapping.
    """

    help: str
    flag: str = ""
    metavar: str | tuple[str, ...] = ""
    parse: Callable[[str], Any] | None = None


@dataclass(frozen=True)
class Default:
    """The default of an option in a TypedDict; without one it is False, empty or None."""

    value: Any


@dataclass(frozen=True)
class Parameter:
    """One option or positional argument; `default` is `inspect.Parameter.empty` where it must be given."""

    name: str
    hint: Any
    default: Any
    option: Option
    positional: bool = False
    variadic: bool = False

    def add_to(self, parser: argparse.ArgumentParser) -> None:
        """Declare the parameter on an argparse parser."""
        kind, option, required = _without_none(self.hint), self.option, self.default is inspect.Parameter.empty
        words: dict[str, Any] = {"help": self._help()}
        if kind is bool:
            flag = option.flag or f"{'--no-' if self.default else '--'}{_hyphened(self.name)}"
            words |= {"action": "store_false" if self.default else "store_true", "dest": self.name}
            parser.add_argument(flag, **words)
            return
        metavar = option.metavar or {int: "N", float: "X"}.get(kind)
        if metavar:
            words["metavar"] = metavar
        words |= self._parsed(kind)
        if self.positional and not option.flag:
            if words.pop("action", None) or self.variadic:
                words |= {"nargs": "*" if self.variadic else "+"}
            elif not required:
                words |= {"nargs": "?", "default": self.default}
            parser.add_argument(self.name, **words)
            return
        words |= {"dest": self.name, "required": required}
        words["default"] = [] if "action" in words else None if required else self.default
        parser.add_argument(option.flag or f"--{_hyphened(self.name)}", **words)

    def _parsed(self, kind: Any) -> dict[str, Any]:
        """Return what argparse needs to parse the type."""
        origin, inner = get_origin(kind), get_args(kind)
        if origin is Mapping or (origin in (Sequence, tuple) and self.option.parse is None):
            if origin is tuple and inner[-1] is not Ellipsis:
                return {"nargs": len(inner), "type": _scalar(inner[0])}
            return {"action": "append", **_typed(self.option.parse, inner[0])}
        return _typed(self.option.parse, kind)

    def _help(self) -> str:
        text = self.option.help.replace("%", "%%")
        shown = self.default if isinstance(self.default, str | int | float) and self.default != "" else None
        if isinstance(self.default, tuple) and self.default:
            shown = " ".join(map(str, self.default))
        if shown is None or isinstance(self.default, bool) or "(default" in text:
            return text
        return f"{text} (default: {shown})"


@dataclass(frozen=True)
class Command:
    """A verb: its name in the command line, the Python function, and one line of help.

    By default the command prints what the function returns. `call` prints something else: it takes the function's
    options, and its own keyword parameters are options of the command line alone.
    """

    name: str
    function: Callable[..., object]
    help: str
    call: Callable[..., object] | None = None

    def parameters(self) -> Iterator[Parameter]:
        """Yield the parameters of the function and of `call`, in the order of `--help`."""
        yield from parameters_of(self.function)
        if self.call is not None:
            yield from parameters_of(self.call, only_options=True)

    def add_to(self, parser: argparse.ArgumentParser) -> None:
        """Declare every option on the command's parser."""
        for parameter in self.parameters():
            parameter.add_to(parser)
        parser.set_defaults(command=self)

    def run(self, options: argparse.Namespace) -> None:
        """Call the function with parsed options and print its value, or let `call` do both."""
        positional: list[Any] = []
        named: dict[str, Any] = {}
        for parameter in self.parameters():
            value = getattr(options, parameter.name)
            value = dict(value) if get_origin(_without_none(parameter.hint)) is Mapping else value
            if parameter.variadic:
                positional += value
            else:
                named[parameter.name] = value
        shown = (self.call or self.function)(*positional, **named)
        if shown is not None:
            say(shown)


def parameters_of(function: Callable[..., object], only_options: bool = False) -> Iterator[Parameter]:
    """Yield the parameters of a function; those of `**options: Unpack[…]` are the keys of its TypedDict.

    Every parameter must have an Option; with `only_options`, those without one are left out.
    """
    hints = {name: hint for name, hint in function.__annotations__.items() if name != "return"}
    holder = type("Hints", (), {"__annotations__": hints, "__module__": function.__module__})
    whole = get_type_hints(holder, include_extras=True)
    for name, parameter in inspect.signature(function).parameters.items():
        hint = whole.get(name, Any)
        if parameter.kind is parameter.VAR_KEYWORD:
            if get_origin(hint) is Unpack:
                yield from keys_of(*get_args(hint))
            continue
        if only_options and get_origin(hint) is not Annotated:
            continue
        positional = parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.VAR_POSITIONAL)
        variadic = parameter.kind is parameter.VAR_POSITIONAL
        yield _annotated(name, hint, parameter.default, positional, variadic)


def keys_of(options: Any) -> Iterator[Parameter]:
    """Yield the annotated keys of a TypedDict of options."""
    for name, hint in get_type_hints(options, include_extras=True).items():
        inner, *notes = get_args(hint)
        empty = False if inner is bool else () if get_origin(inner) is Sequence else None
        yield _annotated(name, hint, next((note.value for note in notes if isinstance(note, Default)), empty))


def with_defaults(options: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that were given and the defaults of the others. Raises TypeError for an unknown name."""
    known = {parameter.name: parameter.default for parameter in keys_of(options)}
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise TypeError(f"unexpected keyword argument '{unknown[0]}'")
    return known | dict(given)


def _annotated(name: str, hint: Any, default: Any, positional: bool = False, variadic: bool = False) -> Parameter:
    if get_origin(hint) is not Annotated:
        raise TypeError(f"parameter '{name}' of a verb has no Option")
    inner, *notes = get_args(hint)
    option = next(note for note in notes if isinstance(note, Option))
    return Parameter(name, inner, default, option, positional, variadic)


def _without_none(hint: Any) -> Any:
    """Return the type without `| None`; of `str | Path`, str, because the functions take either."""
    if get_origin(hint) not in (Union, UnionType):
        return hint
    kinds = [kind for kind in get_args(hint) if kind is not NoneType]
    return str if str in kinds else kinds[0]


def _typed(parse: Callable[[str], Any] | None, kind: Any) -> dict[str, Any]:
    if parse is None and get_origin(kind) is Literal:
        return {"choices": get_args(kind)}
    return {"type": parse or _scalar(kind)}


def _scalar(kind: Any) -> Any:
    kind = _without_none(kind)
    return kind if isinstance(kind, type) else str


def _hyphened(name: str) -> str:
    return name.replace("_", "-")


def words_about(sign: str, example: str) -> Callable[[str], tuple[str, str]]:
    """Return a parser of pairs such as NAME=COLUMN; `sign` is what the message expects."""

    def parse(text: str) -> tuple[str, str]:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise argparse.ArgumentTypeError(f"expected {sign}, for example {example}, got {text!r}")
        return name, value

    return parse
