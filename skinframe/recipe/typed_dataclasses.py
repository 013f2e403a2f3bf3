"""Plain mappings become frozen dataclasses, and every problem is collected, not just the first."""

from __future__ import annotations

import copy
import dataclasses
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from skinframe.errors import Problem, did_you_mean
from skinframe.printable_text import printable
from skinframe.recipe.yaml_text import as_number, as_written, has_interpolation
from skinframe.untrusted_files import UnreadableError, check_nesting

T = TypeVar("T")


def typed(cls: type[T], data: object, where: str, *, owner: str = "") -> tuple[T | None, list[Problem]]:
    """Return `cls` built from `data`, or None and what is wrong with it, each problem under its dotted path.

    `owner` names whose options these are in the message of an unknown key.
    """
    if not isinstance(data, Mapping):
        return None, [Problem(where or "recipe", f"expected keys and values, got {_shown(data)}")]
    hints = typing.get_type_hints(cls)
    fields = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for key, value in data.items():
        path = f"{where}.{key}" if where else str(key)
        if key not in fields:
            whose = f"no such option of '{owner}'" if owner else "no such key"
            problems.append(Problem(path, f"{whose}{did_you_mean(str(key), fields)}"))
            continue
        values[key], found = _value(cls, key, hints[key], value, path)
        problems += found
    for name, field in fields.items():
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if required and name not in data:
            problems.append(Problem(f"{where}.{name}" if where else name, "is required and missing"))
    if problems:
        return None, problems
    try:
        return cls(**values), []
    except (ValueError, TypeError, ArithmeticError) as error:  # a range check in __post_init__
        return None, [Problem(where or "recipe", str(error))]


def _value(cls: type, key: str, hint: Any, value: Any, path: str) -> tuple[Any, list[Problem]]:
    hint = _without_none(hint)
    if value is None and hint is not Any and dataclasses.is_dataclass(hint) and key in _optional(cls):
        return None, []
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return typed(hint, value, path)
    inner = typing.get_args(hint)
    if typing.get_origin(hint) is dict and dataclasses.is_dataclass(inner[1]):
        return _mapping(inner[1], value, path)
    if typing.get_origin(hint) is list and dataclasses.is_dataclass(inner[0]):
        return _sequence(inner[0], value, path)
    if hint is Any:
        return as_number(value), []
    return _leaf(cls, key, value, path)


def _without_none(hint: Any) -> Any:
    """Return the dataclass of an optional section, any other hint as it is."""
    inner = [part for part in typing.get_args(hint) if part is not type(None)]
    optional = len(inner) == 1 and type(None) in typing.get_args(hint)
    return inner[0] if optional and dataclasses.is_dataclass(inner[0]) else hint


def _optional(cls: type) -> frozenset[str]:
    hints = typing.get_type_hints(cls)
    return frozenset(name for name, hint in hints.items() if type(None) in typing.get_args(hint))


def _mapping(cls: Any, data: Any, where: str) -> tuple[dict[str, Any], list[Problem]]:
    if not isinstance(data, Mapping):
        return {}, [Problem(where, f"expected a name for each component, got {_shown(data)}")]
    built: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, entry in data.items():
        built[str(name)], found = typed(cls, entry, f"{where}.{name}")
        problems += found
    return built, problems


def _sequence(cls: Any, data: Any, where: str) -> tuple[list[Any], list[Problem]]:
    if not isinstance(data, list | tuple):
        return [], [Problem(where, f"expected a list, got {_shown(data)}")]
    pairs = [typed(cls, entry, f"{where}.{place}") for place, entry in enumerate(data)]
    return [built for built, _ in pairs], [problem for _, found in pairs for problem in found]


def _leaf(cls: type, key: str, value: Any, path: str) -> tuple[Any, list[Problem]]:
    """Let omegaconf convert one value: '2.5' to a float, 'eight' to an error that says so; it resolves nothing."""
    try:
        check_nesting(value, path, texts=True)
        if has_interpolation(value):
            return None, [Problem(path, "interpolation '${…}' is not supported; write the value itself")]
        hint = typing.get_type_hints(cls)[key]
        given = as_written(value) if _asks_for_text(hint) else as_number(value)
        merged: Any = OmegaConf.merge(OmegaConf.structured(cls), {key: given})
        if OmegaConf.is_missing(merged, key):
            return None, [Problem(path, "is required and missing")]
        result = merged[key]
        if hint == dict[str, Any] and isinstance(value, Mapping):  # the options of a component, typed by its Config
            return copy.deepcopy(dict(value)), []
        return (OmegaConf.to_object(result) if OmegaConf.is_config(result) else result), []
    except OmegaConfBaseException as error:
        return None, [Problem(path, _plain(str(error)))]
    except UnreadableError as error:
        return None, [Problem(path, error.reason)]
    except (OverflowError, RecursionError) as error:
        return None, [Problem(path, f"cannot be used ({str(error) or type(error).__name__})")]
    except ValueError as error:  # another field's default may fail a check only together with this one
        return None, [Problem(path, str(error))]


def _asks_for_text(hint: Any) -> bool:
    """Say whether every scalar of a type is text: `name: no` and `classes: [01, 02]` are then what the file says."""
    if typing.get_origin(hint) is typing.Literal:
        return all(isinstance(word, str) for word in typing.get_args(hint))
    inner = [part for part in typing.get_args(hint) if part not in (type(None), Ellipsis)]
    return hint is str if not inner else all(_asks_for_text(part) for part in inner)


def _plain(message: str) -> str:
    first = message.splitlines()[0]
    first = first.replace("Value ", "value ").replace("Invalid value", "invalid value").replace("of type 'str' ", "")
    return (
        first.replace("to Integer", "to an integer").replace("to Float", "to a number").replace("to Bool", "to a bool")
    )


def _shown(value: object) -> str:
    text = printable(repr(value))
    return text if len(text) <= 40 else f"{text[:37]}…"
