"""Rewrite the generated parts of the pages: `uv run python docs/generate.py [PAGE ...]`, all pages by default.

A part is between `<!-- generated: NAME -->` and `<!-- end -->`; NAME is a function of `tables`. A test fails while one
is out of date. contracts.md takes longest: it collects the contract tests.
"""

from __future__ import annotations

import re
import sys
from importlib import import_module
from pathlib import Path

DOCS = Path(__file__).parent
REGION = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)

MODULES = {
    "api_reference": ("api_reference",),
    "command_line": ("cli_tables",),
    "datasets": ("dataset_table", "policy_table", "taxonomy_table"),
    "laws": ("check_tables", "known_failures", "loss_matrix"),
    "layout": ("import_layers", "module_table", "room_table"),
    "recipes": ("recipe_core", "recipe_losses", "recipe_table", "schedule_table"),
    "registry": ("component_table", "hook_table", "loss_table", "signal_table"),
}
TABLES = {name: module for module, names in MODULES.items() for name in names}


def made(name: str) -> str:
    """Return one table; its module is imported only now. Raises KeyError for an unknown name."""
    table: str = getattr(import_module(f"tables.{TABLES[name]}"), name)()
    return table


def rewritten(text: str) -> str:
    """Return a page with its generated tables made anew. Raises KeyError naming an unknown table."""
    return REGION.sub(lambda part: f"{part[1]}{made(part[2])}\n{part[3]}", text)


if __name__ == "__main__":
    everything = [DOCS.parent / "README.md", *sorted(DOCS.rglob("*.md"))]
    for page in [Path(name) for name in sys.argv[1:]] or everything:
        page.write_text(rewritten(page.read_text(encoding="utf-8")), encoding="utf-8")
