"""The pages agree with the code and with each other."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import generate
import pages
import pytest

from skinframe import cli, plugins

DISTRIBUTIONS = [page.parent.name for page in pages.PAGES if page.parent.parent.name == "plugins"]
GLOSSARY = pages.DOCS / "glossary.md"
FILE = re.compile(r"`((?:tests|skinframe|plugins|recipes|docs)/[\w./*-]+)`")
CITATION = re.compile(r"\b(?:18|19|20)\d\d\b")


def _names_files(page: Path) -> list[str]:
    """Return the paths of a page in backticks, but for placeholders, and pages that name what is no more or not yet."""
    historic = {"changelog.md", "guarantees_results.md", "mutants.md", "gpu.md"}
    names = FILE.findall(page.read_text(encoding="utf-8")) if page.name not in historic else []
    return [name for name in names if not re.search(r"NAME|FAMILY|\*", name)]


def _is_generated(page: Path) -> bool:
    return "<!-- generated: " in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("page", pages.cases(pages.links))
def test_no_dead_link(page: Path) -> None:
    for target, anchor in pages.links(page):
        assert target.exists(), f"{target} does not exist"
        if anchor:
            assert anchor in pages.anchors(target), f"{target}#{anchor}: no such heading"


@pytest.mark.parametrize("page", pages.cases(_names_files))
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    roots = (pages.ROOT, page.parent)  # a plugin's page names its own tests
    assert [name for name in _names_files(page) if not any((root / name).exists() for root in roots)] == []


@pytest.mark.parametrize("page", pages.cases(_is_generated))
def test_generated_tables_are_up_to_date(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert generate.rewritten(text) == text, "run: uv run python docs/generate.py"


def test_every_generated_table_is_on_a_page() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in pages.PAGES)
    assert set(re.findall(r"<!-- generated: (\w+) -->", text)) == set(generate.TABLES)


def test_an_outdated_table_is_detected() -> None:
    stale = "<!-- generated: hook_table -->\n| hook |\n<!-- end -->"
    assert generate.rewritten(stale) != stale
    with pytest.raises(KeyError, match="no_such_table"):
        generate.rewritten("<!-- generated: no_such_table -->\n<!-- end -->")


@pytest.mark.parametrize("index", [pages.DOCS / "index.md", pages.DOCS / "benchmarks" / "index.md"], ids=pages.name_of)
def test_an_index_links_to_every_page_of_its_folder(index: Path) -> None:
    linked = {target for target, _ in pages.links(index)}
    assert set(index.parent.glob("*.md")) - {index} <= linked


def test_glossary_anchors_are_unique() -> None:
    anchors = pages.anchors(GLOSSARY)
    assert sorted(set(anchors)) == sorted(anchors)


def test_every_term_of_the_report_is_in_the_glossary() -> None:
    from skinframe.reporting.glossary import TERMS

    assert set(TERMS) - set(pages.anchors(GLOSSARY)) == set()


def test_reading_a_report_has_a_heading_for_every_section() -> None:
    from skinframe.reporting.page_sections import SECTIONS

    headings = pages.HEADING.findall((pages.DOCS / "reading_a_report.md").read_text(encoding="utf-8"))
    titles = [section.title for section in SECTIONS if section.anchor != "further"]  # of reports from before topics
    assert [heading for heading in headings if heading in titles] == titles


@pytest.mark.parametrize("term", ["Smooth ECE", "BCa", "Holm", "AUGRC", "LAC", "DeLong", "TOST", "Net benefit", "NF4"])
def test_a_method_in_the_glossary_has_a_citation(term: str) -> None:
    (entry,) = re.findall(rf"^### {term}$(.*?)(?=^##|\Z)", GLOSSARY.read_text(encoding="utf-8"), re.M | re.S)
    assert CITATION.search(entry), entry


def test_every_argument_has_a_help_text() -> None:
    from tables.command_line import every_verb

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


def test_readme_has_the_two_commands_and_the_example_plugin() -> None:
    shown = pages.blocks(pages.ROOT / "README.md")
    lines = [command for block in shown if block.language == "console" for command, _ in pages.commands(block)]
    assert lines[:2] == ["pip install uv && uv run skinframe run recipes/cfa_full.yaml", "uv run tox"]
    example = "plugins/skinframe-example/skinframe_example/smoothed_cross_entropy.py"
    assert [block.language for block in shown if block.note_of("from") == example] == ["python"]
    assert lines[1] in (pages.ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
