"""Every block of the docs is run or checked: Python, YAML, TOML, command lines and excerpts of files."""

from __future__ import annotations

import ast
import shlex
import sys
import tomllib
import types
from pathlib import Path
from typing import Any

import pages
import pytest
import yaml

from skinframe import cli
from skinframe.recipe.shipped_recipes import find_recipe

LIGHT = ("plan", "list", "show", "new", "check")  # executed; the others are read by the real parser
OTHER = (
    "uv run tox",
    "pip install",
    "uv run",
    "uv build",
    "uv sync",
    "uv lock",
    "uv export",
    "python -m skinframe_tiny.build",
    "python tests/benchmarks/",
    "python tests/faults/",
    "hf download",
    "uvx",
)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder with the recipes beside it, as a reader has them."""
    (tmp_path / "recipes").symlink_to(pages.ROOT / "recipes")
    (tmp_path / "plugins").symlink_to(pages.ROOT / "plugins")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    return tmp_path


@pytest.mark.parametrize("page", pages.cases(pages.blocks))
def test_blocks(
    page: Path, desk: Path, tiny_qwen: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    module = types.ModuleType("page")  # a real module, so that dataclasses and annotations find their names
    monkeypatch.setitem(sys.modules, "page", module)
    monkeypatch.syspath_prepend(desk)
    files: list[Path] = []
    for block in pages.blocks(page):
        assert block.language in pages.LANGUAGES, f"{block.page}:{block.line}: language '{block.language}'"
        source = block.note_of("from")
        if source is not None:
            _is_quoted_from(block, pages.ROOT / source)
        file = block.note_of("file")
        if file is not None:
            (desk / file).write_text(block.text, encoding="utf-8")
            plugin = file.endswith(".py") and not file.startswith("test_")
            files += [desk / file] if plugin and desk / file not in files else []
        if block.language == "python":
            _execute(block, vars(module))
        elif block.language == "yaml" and source is None:
            _plans(block, desk, files, tiny_qwen)
        elif block.language == "toml":
            tomllib.loads(block.text)
        elif block.language == "console":
            _console(block, capsys)


def _is_quoted_from(block: pages.Block, path: Path) -> None:
    """An excerpt of a recipe has nothing that the recipe does not have; any other file is quoted in full."""
    from skinframe.recipe.load_recipe import merge

    text = path.read_text(encoding="utf-8")
    if block.language == "yaml":
        part, whole = yaml.safe_load(block.text), yaml.safe_load(text)
        merged: Any = yaml.safe_load(text)
        merge(merged, part)
        assert merged == whole, f"{block.page}:{block.line} differs from {path.name}"
    else:
        assert block.text == text, f"{block.page}:{block.line} differs from {path.name}"


def _execute(block: pages.Block, names: dict[str, Any]) -> None:
    """Run a block where the blocks above it on its page left off; lines keep their numbers in a traceback."""
    tree = ast.increment_lineno(ast.parse(block.text, block.page), block.line - 1)
    exec(compile(tree, str(pages.ROOT / block.page), "exec"), names)  # noqa: S102  (the docs' own text)


def _plans(block: pages.Block, desk: Path, files: list[Path], model: Path) -> None:
    """A block of YAML is a whole recipe where it extends one, else it is laid over the main recipe as a preset is."""
    from skinframe.planning.load_plan import plan_of

    data = yaml.safe_load(block.text)
    path = desk / (block.note_of("file") or "block.yaml")
    path.write_text(block.text, encoding="utf-8")
    recipe, presets = (str(path), []) if "extends" in data else ("recipes/cfa_full.yaml", [str(path)])
    own = (data.get("reasoner") or {}).get("config", {}).get("model")
    overrides = [] if own else [f"reasoner.config.model={model}"]
    plan_of(recipe, presets, overrides, (), files)


def _console(block: pages.Block, capsys: pytest.CaptureFixture[str]) -> None:
    for command, shown in pages.commands(block):
        words = shlex.split(command, comments=True)
        words = words[2:] if words[:2] == ["uv", "run"] and words[2] == "skinframe" else words
        if words[0] != "skinframe":
            assert command.startswith(OTHER), f"{block.page}:{block.line}: what is '{command}'?"
            continue
        options = cli.parser(words[1:]).parse_args(words[1:])
        if hasattr(options, "recipe"):
            find_recipe(options.recipe)  # a file, or one of skinframe's own by name
        if words[1] in LIGHT:
            options.command.run(options)
            _matches(shown, capsys.readouterr().out, f"{block.page}:{block.line}")


def _matches(shown: list[str], printed: str, where: str) -> None:
    """The output shown is the output printed; a line `…` stands for any lines."""
    lines = [line.rstrip() for line in printed.splitlines()]
    at, free = 0, not shown
    for line in shown:
        if line == "…":
            free = True
            continue
        found = next((i for i in range(at, len(lines)) if lines[i] == line), None) if free else at
        assert found is not None, f"{where}: not printed: {line}"
        assert found < len(lines), f"{where}: printed less than is shown: {line}"
        assert lines[found] == line, f"{where}: printed '{lines[found]}' where the page shows '{line}'"
        at, free = found + 1, False
    assert free or at == len(lines), f"{where}: prints more: {lines[at : at + 3]}"
