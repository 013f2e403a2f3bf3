"""Rewrite the generated parts of the pages: `uv run python docs/generate.py [PAGE ...]`, all pages by default.

A part is between `<!-- generated: NAME -->` and `<!-- end -->`; NAME is a function of `tables`. A test fails while one
is out of date. contracts.md takes longest: it collects the contract tests.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

from tables.command_line import cli_tables
from tables.datasets import dataset_table, policy_table, taxonomy_table
from tables.laws import check_tables, known_failures, loss_matrix
from tables.layout import import_layers, module_table, room_table
from tables.recipes import recipe_core, recipe_losses, recipe_table, schedule_table
from tables.registry import component_table, hook_table, loss_table, signal_table

DOCS = Path(__file__).parent
REGION = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)

TABLES: dict[str, Callable[[], str]] = {
    function.__name__: function
    for function in (
        signal_table,
        hook_table,
        component_table,
        loss_table,
        dataset_table,
        policy_table,
        taxonomy_table,
        recipe_table,
        schedule_table,
        cli_tables,
        check_tables,
        loss_matrix,
        known_failures,
        recipe_core,
        recipe_losses,
        room_table,
        module_table,
        import_layers,
    )
}


def rewritten(text: str) -> str:
    """Return a page with its generated tables made anew. Raises KeyError naming an unknown table."""
    return REGION.sub(lambda part: f"{part[1]}{TABLES[part[2]]()}\n{part[3]}", text)


if __name__ == "__main__":
    everything = [DOCS.parent / "README.md", *sorted(DOCS.rglob("*.md"))]
    for page in [Path(name) for name in sys.argv[1:]] or everything:
        page.write_text(rewritten(page.read_text(encoding="utf-8")), encoding="utf-8")
