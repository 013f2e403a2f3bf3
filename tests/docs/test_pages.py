"""The pages agree with the code and with each other."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import generate
import pages
import pytest
from tables.command_line import every_verb

from skinframe import cli, hookspecs, plugins

LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)]*))?\)")
FENCED = re.compile(r"^```.*?^```$", re.M | re.S)
DISTRIBUTIONS = [page.parent.name for page in pages.PAGES if page.parent.parent.name == "plugins"]


def slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


@pytest.mark.parametrize("page", pages.PAGES, ids=pages.NAMES)
def test_no_dead_link(page: Path) -> None:
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    for target, anchor in LINK.findall(text):
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), f"{target} does not exist"
        if anchor:
            headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.M)
            assert anchor in map(slug, headings), f"{target}#{anchor}: no such heading"


@pytest.mark.parametrize("page", pages.PAGES, ids=pages.NAMES)
def test_generated_parts_are_fresh(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert generate.rewritten(text) == text, "run: uv run python docs/generate.py"


def test_every_part_stands_on_some_page() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in pages.PAGES)
    assert set(re.findall(r"<!-- generated: (\w+) -->", text)) == set(generate.TABLES)


def test_a_stale_table_would_be_found() -> None:
    stale = "<!-- generated: hook_table -->\n| hook |\n<!-- end -->"
    assert generate.rewritten(stale) != stale
    with pytest.raises(KeyError, match="no_such_table"):
        generate.rewritten("<!-- generated: no_such_table -->\n<!-- end -->")


def test_every_page_is_reachable_from_the_index() -> None:
    text = (pages.ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    linked = {target for target, _ in LINK.findall(text)}
    assert {page.name for page in (pages.ROOT / "docs").glob("*.md")} - {"index.md"} <= linked


def test_hooks_page_names_every_hook() -> None:
    text = (pages.ROOT / "docs" / "hooks.md").read_text(encoding="utf-8")
    hooks = {name for name in vars(hookspecs) if name.startswith("register_")}
    assert hooks == set(re.findall(r"`(register_\w+)\(\)`", text))


def test_every_argument_has_a_help_text() -> None:
    verbs = every_verb(cli.parser())
    bare = [f"{name} {action.dest}" for name, verb, _ in verbs for action in verb._actions if not action.help]
    assert not bare


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_plugin_readme_names_every_component(distribution: str) -> None:
    text = (pages.ROOT / "plugins" / distribution / "README.md").read_text(encoding="utf-8")
    catalog = plugins.load([distribution.removeprefix("skinframe-")])
    own = [name for (_, name), entry in catalog.entries.items() if entry.origin.distribution == distribution]
    assert own, "registers nothing"
    assert [name for name in own if f"`{name}`" not in text] == []
    importlib.import_module(distribution.replace("-", "_"))


def test_readme_is_the_two_commands_and_the_example_plugin() -> None:
    shown = pages.blocks(pages.ROOT / "README.md")
    lines = [command for block in shown if block.language == "console" for command, _ in pages.commands(block)]
    assert lines[:2] == ["pip install uv && uv run skinframe run recipes/cfa_full.yaml", "uv run tox"]
    example = "plugins/skinframe-example/skinframe_example/smoothed_cross_entropy.py"
    assert [block.language for block in shown if block.note_of("from") == example] == ["python"]
    assert lines[1] in (pages.ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
