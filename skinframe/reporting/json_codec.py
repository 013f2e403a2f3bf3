"""Frozen dataclasses to JSON and back, by their own type hints. Unknown and missing keys are named, never guessed."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import json
import math
import types
from collections.abc import Mapping
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from skinframe.errors import DataError, did_you_mean
from skinframe.untrusted_files import UnreadableError, parse_json

T = TypeVar("T")


def dumps(value: Any) -> str:
    """Return a dataclass as JSON: bytes become base64, a number that is not finite becomes null."""
    return json.dumps(_plain(value), indent=1, allow_nan=False) + "\n"


def loads(kind: type[T], text: str, where: str = "report.json") -> T:
    """Read what `dumps` wrote. Raises DataError naming the path of the first value that does not fit."""
    try:
        plain = parse_json(text, where, any_text=True)
    except UnreadableError as error:
        raise DataError(f"{error}; make the report again from its run") from error
    value: T = _typed(kind, plain, where)
    return value


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {item.name: _plain(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, bool | str) or value is None:
        return value
    # numpy scalars reach here too; `item` gives their Python value
    number = value.item() if hasattr(value, "item") else value
    if isinstance(number, float) and not math.isfinite(number):
        return None
    return number


def _typed(hint: Any, plain: Any, where: str) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        if plain is None:
            return None
        return _typed(next(kind for kind in arguments if kind is not type(None)), plain, where)
    if dataclasses.is_dataclass(hint):
        return _dataclass(hint, _expect(dict, plain, where), where)
    if origin is tuple:
        items = _expect(list, plain, where)
        return tuple(_typed(arguments[0], item, f"{where}[{index}]") for index, item in enumerate(items))
    if origin is Mapping:
        pairs = _expect(dict, plain, where)
        return {key: _typed(arguments[1], item, f"{where}.{key}") for key, item in pairs.items()}
    if hint is bytes:
        return _bytes(_expect(str, plain, where), where)
    if hint is float and isinstance(plain, int) and not isinstance(plain, bool):
        try:
            return float(plain)
        except OverflowError:
            raise DataError(f"{where}: the number is too large") from None
    return _expect(hint, plain, where)


def _dataclass(kind: Any, plain: Mapping[str, Any], where: str) -> Any:
    hints = get_type_hints(kind)
    unknown = [name for name in plain if name not in hints]
    if unknown:
        raise DataError(f"{where}.{unknown[0]}: no such key of a report{did_you_mean(unknown[0], hints)}")
    try:
        return kind(**{name: _typed(hints[name], item, f"{where}.{name}") for name, item in plain.items()})
    except (TypeError, ValueError) as error:
        raise DataError(f"{where}: {error}; make the report again from its run") from error


def _expect(kind: type, plain: Any, where: str) -> Any:
    if not isinstance(plain, kind) or (isinstance(plain, bool) and kind is not bool):
        raise DataError(f"{where}: expected {kind.__name__}, found {type(plain).__name__}")
    return plain


def _bytes(text: str, where: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error) as error:
        raise DataError(f"{where}: not base64 ({error})") from error
