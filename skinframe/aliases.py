"""Names that have changed, so that old recipes and run folders stay readable. A name that is still registered wins."""

from __future__ import annotations

from collections.abc import Container

PLUGINS = {"qwen": "vlm"}
COMPONENTS: dict[tuple[str, str], str] = {}  # (kind, old name) -> new name


def plugin_name(name: str, known: Container[str]) -> str:
    """Return what a plugin is called today; the name itself where a plugin of that name is known."""
    return name if name in known else PLUGINS.get(name, name)


def component_name(kind: str, name: str, known: Container[str]) -> str:
    """Return what a component of this kind is called today; the name itself where one of that name is known."""
    return name if name in known else COMPONENTS.get((kind, name), name)
