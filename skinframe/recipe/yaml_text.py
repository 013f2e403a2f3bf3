"""YAML text to plain mappings, safely: no tags, no aliases, no duplicate keys, no interpolation, bounded size.

Numbers are those of YAML 1.2: `5e-1` is 0.5 and `1:30` is text, where PyYAML's own YAML 1.1 reads text and 90.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from skinframe.errors import Problem, RecipeError
from skinframe.guarded import MAX_DIGITS, UnreadableError, check_nesting, printable, read_text

MAX_BYTES = 1_000_000
MAX_DEPTH = 24

INT, FLOAT = "tag:yaml.org,2002:int", "tag:yaml.org,2002:float"
# the number syntax of YAML 1.2's core schema (section 10.3.2), and the characters such a number may start with
NUMBERS = (
    (INT, re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"), "-+0123456789"),
    (FLOAT, re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), "-+.0123456789"),
    (FLOAT, re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"), "-+."),
)


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
        if node.tag == INT:
            return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
        return float(text.replace(".inf", "inf").replace(".nan", "nan"))


class _Dumper(yaml.SafeDumper):
    """Quotes text that YAML 1.1 or 1.2 would read as a number; writes no aliases, which the loader refuses."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _add_numbers(kind: type[yaml.SafeLoader | yaml.SafeDumper], keep: bool) -> None:
    """Let a loader or dumper know the numbers of YAML 1.2; with `keep`, those of YAML 1.1 too."""
    known = {
        first: [(tag, pattern) for tag, pattern in pairs if keep or tag not in (INT, FLOAT)]
        for first, pairs in kind.yaml_implicit_resolvers.items()
    }
    for tag, pattern, starts in NUMBERS:
        for first in starts:
            known.setdefault(first, []).append((tag, re.compile(rf"(?:{pattern.pattern})\Z")))
    kind.yaml_implicit_resolvers = known


_add_numbers(_Loader, keep=False)
_add_numbers(_Dumper, keep=True)
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
