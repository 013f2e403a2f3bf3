"""YAML text to plain mappings, safely: no tags, no aliases, no duplicate keys, no interpolation, bounded size.

Scalars are those of YAML 1.2: `5e-1` is 0.5, and `1:30`, `no` and `2026-11-30` are text, where PyYAML's own YAML 1.1
reads text, 90, False and a date.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from skinframe.errors import Problem, RecipeError
from skinframe.printable_text import printable
from skinframe.untrusted_files import MAX_DIGITS, UnreadableError, check_nesting, read_text

MAX_BYTES = 1_000_000
MAX_DEPTH = 24

BOOL, NULL = "tag:yaml.org,2002:bool", "tag:yaml.org,2002:null"
INT, FLOAT = "tag:yaml.org,2002:int", "tag:yaml.org,2002:float"
# the number syntax of YAML 1.2's core schema (section 10.3.2), and the characters such a number may start with
NUMBERS = (
    (INT, re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"), "-+0123456789"),
    (FLOAT, re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), "-+.0123456789"),
    (FLOAT, re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"), "-+."),
)
# and its other two kinds: `yes`, `no`, `on`, `off`, dates and `=` are text
WORDS = (
    (BOOL, re.compile(r"true|True|TRUE|false|False|FALSE"), "tTfF"),
    (NULL, re.compile(r"~|null|Null|NULL|"), ("~", "n", "N", "")),
)


class WrittenInt(int):
    """An integer whose file wrote it another way (`01`, `0x1F`): text where an option asks for text."""

    text: str


class WrittenFloat(float):
    """A number whose file wrote it another way (`1e3`, `1.50`): text where an option asks for text."""

    text: str


def as_written(value: Any) -> Any:
    """Return a scalar, or those of a list or mapping, as the text that stood in the file."""
    if isinstance(value, Mapping):
        return {key: as_written(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [as_written(inner) for inner in value]
    if isinstance(value, bool):
        return str(value).lower()
    return getattr(value, "text", str(value)) if isinstance(value, int | float) else value


def as_number(value: Any) -> Any:
    """Return a value without the memory of how its numbers were written."""
    if isinstance(value, Mapping):
        return {key: as_number(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(as_number(inner) for inner in value)
    if isinstance(value, WrittenInt):
        return int(value)
    return float(value) if isinstance(value, WrittenFloat) else value


class _Loader(yaml.SafeLoader):
    """A safe loader that also refuses anchors (alias bombs), duplicate keys and deep nesting."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark: Any = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.YAMLError(f"line {mark.start_mark.line + 1}: aliases are not supported")
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise yaml.YAMLError(f"nested deeper than {MAX_DEPTH} levels")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise yaml.YAMLError(f"line {key_node.start_mark.line + 1}: key {key!r} is not a string")
            if key in seen:
                raise yaml.YAMLError(f"line {key_node.start_mark.line + 1}: key '{key}' appears twice")
            seen.add(key)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping

    def construct_number(self, node: yaml.ScalarNode) -> int | float:
        text = node.value.lower()
        if len(text) > MAX_DIGITS:
            raise yaml.YAMLError(f"line {node.start_mark.line + 1}: a number of more than {MAX_DIGITS} digits")
        number: int | float
        if node.tag == INT:
            number = WrittenInt(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
        else:
            number = WrittenFloat(text.replace(".inf", "inf").replace(".nan", "nan"))
        if str(number) == node.value:
            return as_number(number)  # type: ignore[no-any-return]
        number.text = node.value
        return number


class _Dumper(yaml.SafeDumper):
    """Quotes text that YAML 1.1 or 1.2 would read as a number; writes no aliases, which the loader refuses."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _represent_written(dumper: yaml.SafeDumper, number: Any) -> yaml.Node:
    """Write a number of a component's options as its file did, quoted where YAML 1.1 would read another value."""
    plain = as_number(number)
    reads = yaml.safe_load(number.text)
    if isinstance(reads, int | float) and reads == plain:
        return dumper.represent_scalar(INT if isinstance(plain, int) else FLOAT, number.text)
    try:
        same = type(plain)(number.text) == plain
    except ValueError:  # 0o17, which YAML 1.1 does not know
        same = False
    return dumper.represent_str(number.text) if same else dumper.represent_data(plain)


def _add_numbers(kind: type[yaml.SafeLoader | yaml.SafeDumper], keep: bool) -> None:
    """Let a loader or dumper know the plain scalars of YAML 1.2; with `keep`, those of YAML 1.1 too."""
    known = {first: list(pairs) if keep else [] for first, pairs in kind.yaml_implicit_resolvers.items()}
    for tag, pattern, starts in (*NUMBERS, *WORDS):
        for first in starts:
            known.setdefault(first, []).append((tag, re.compile(rf"(?:{pattern.pattern})\Z")))
    kind.yaml_implicit_resolvers = known


_add_numbers(_Loader, keep=False)
_add_numbers(_Dumper, keep=True)
for _kind in (WrittenInt, WrittenFloat):
    _Dumper.add_representer(_kind, _represent_written)
for _tag in (INT, FLOAT):
    _Loader.add_constructor(_tag, _Loader.construct_number)
for _tag in ("binary", "set", "omap", "pairs"):  # what no recipe needs becomes an unknown tag
    _Loader.yaml_constructors.pop(f"tag:yaml.org,2002:{_tag}")


def read_mapping(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file. Raises RecipeError with the line of what is wrong."""
    try:
        text = read_text(path, MAX_BYTES)
    except UnreadableError as error:
        what = f"{error.reason}; name the recipe in it" if error.reason == "is a folder" else error.reason
        raise RecipeError(error.where, [Problem("file", what)]) from error
    return parse_mapping(text, str(path))


def parse_mapping(text: str, source: str) -> dict[str, Any]:
    """Return the mapping in YAML text. Raises RecipeError."""
    data = parse_value(text, source)
    if not isinstance(data, dict):
        raise RecipeError(source, [Problem("file", "expected keys and values")])
    return data


def parse_value(text: str, source: str) -> Any:
    """Return the YAML value of `text` (the right-hand side of `--set`, too). Raises RecipeError."""
    try:
        value = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader, narrowed further
        check_nesting(value, source, texts=True)
    except UnreadableError as error:
        raise RecipeError(source, [Problem("file", error.reason)]) from error
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        raise RecipeError(source, [Problem("file", f"is not a recipe: {_reason(error)}")]) from error
    if has_interpolation(value):
        raise RecipeError(source, [Problem("file", "interpolation '${…}' is not supported; write the value itself")])
    return value


def _reason(error: Exception) -> str:
    """Return what is wrong and where, without a quotation: the file may be a secret that a recipe points at."""
    mark = getattr(error, "problem_mark", None)
    if not isinstance(error, yaml.MarkedYAMLError):
        return printable(" ".join(str(error).split()))
    where = "" if mark is None else f"line {mark.line + 1}, column {mark.column + 1}: "
    return printable(f"{where}{error.problem or error.context or 'not YAML'}")


def has_interpolation(value: object) -> bool:
    """Say whether a key or a text in a value holds `${`, however its file wrote it: no value is ever resolved."""
    if isinstance(value, Mapping):
        return any(has_interpolation(key) or has_interpolation(inner) for key, inner in value.items())
    if isinstance(value, list | tuple):
        return any(has_interpolation(inner) for inner in value)
    return isinstance(value, str) and "${" in value


def dump(data: object) -> str:
    """Return YAML text that `parse_value` reads as the same value, keys in their order."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=True)
