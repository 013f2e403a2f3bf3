"""YAML text to plain mappings, safely: no tags, no aliases, no duplicate keys, no interpolation, bounded size."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import yaml

from skinframe.errors import Problem, RecipeError

MAX_BYTES = 1_000_000
MAX_DEPTH = 24


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
                raise yaml.YAMLError(f"line {key_node.start_mark.line + 1}: key {key!r} is not a word")
            if key in seen:
                raise yaml.YAMLError(f"line {key_node.start_mark.line + 1}: key '{key}' stands twice")
            seen.add(key)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


def read_mapping(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file. Raises RecipeError with the line of what is wrong."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for a writer
            what = "is a folder; name the recipe in it" if stat.S_ISDIR(status.st_mode) else "is not a regular file"
            raise RecipeError(str(path), [Problem("file", what)])
        size = status.st_size
        if size > MAX_BYTES:
            raise RecipeError(str(path), [Problem("file", f"is {size:,} bytes; a recipe has at most {MAX_BYTES:,}")])
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise RecipeError(str(path), [Problem("file", f"is not UTF-8 text (byte {error.start})")]) from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        reason = "no such file" if isinstance(error, FileNotFoundError) else reason
        raise RecipeError(str(path), [Problem("file", reason)]) from error
    return parse_mapping(text, str(path))


def parse_mapping(text: str, source: str) -> dict[str, Any]:
    """Return the mapping in YAML text. Raises RecipeError."""
    data = parse_value(text, source)
    if not isinstance(data, dict):
        raise RecipeError(source, [Problem("file", "expected keys and values")])
    return data


def parse_value(text: str, source: str) -> Any:
    """Return the YAML value of `text` (the right-hand side of `--set`, too). Raises RecipeError."""
    if "${" in text:
        raise RecipeError(source, [Problem("file", "interpolation '${…}' is not supported; write the value itself")])
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader, narrowed further
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise RecipeError(source, [Problem("file", f"is not a recipe: {reason}")]) from error
