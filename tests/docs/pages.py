"""Read Markdown pages: fenced blocks, each with the comment right above it, headings and links."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [
    ROOT / "README.md",
    ROOT / "SECURITY.md",
    *sorted(DOCS.rglob("*.md")),
    *sorted(ROOT.glob("plugins/*/README.md")),
]
BLOCK = re.compile(r"(?:^<!-- (?P<note>[^\n]*?) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.M | re.S)
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)]*))?\)")
HEADING = re.compile(r"^#+ (.*)$", re.M)
LANGUAGES = ("python", "yaml", "console", "toml", "text")


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def cases(has: Callable[[Path], object]) -> list[Any]:
    """Return a parameter for each page that has something to test."""
    return [pytest.param(page, id=name_of(page)) for page in PAGES if has(page)]


@dataclass(frozen=True)
class Block:
    """One fenced block. Its note is `file: NAME` (it is that file), `from: PATH` (quoted from that file) or empty."""

    page: str
    line: int
    language: str
    text: str
    note: str

    def note_of(self, key: str) -> str | None:
        return self.note.removeprefix(f"{key}: ") if self.note.startswith(f"{key}: ") else None


def blocks(page: Path) -> list[Block]:
    """Return a page's blocks in order."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(name_of(page), text.count("\n", 0, m.start("text")) + 1, m["language"], m["text"], m["note"] or "")
        for m in BLOCK.finditer(text)
    ]


def commands(block: Block) -> list[tuple[str, list[str]]]:
    """Return each `$ command` of a console block with the output shown under it."""
    shown: list[tuple[str, list[str]]] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            shown.append((line[2:], []))
        elif not shown:
            raise ValueError(f"{block.page}:{block.line}: output before the first command")
        elif shown[-1][0].endswith("\\"):
            shown[-1] = (shown[-1][0][:-1] + line.strip(), [])
        else:
            shown[-1][1].append(line.rstrip())
    return shown


def links(page: Path) -> list[tuple[Path, str]]:
    """Return the target file and the anchor (or "") of each relative link outside fenced blocks."""
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    return [((page.parent / path).resolve() if path else page, anchor) for path, anchor in LINK.findall(text)]


def anchors(page: Path) -> list[str]:
    """Return the anchors of a page: those of its headings, as GitHub makes them, and its explicit ones."""
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    made = [re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in HEADING.findall(text)]
    return made + re.findall(r'<a id="([\w-]+)"></a>', text)
