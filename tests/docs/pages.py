"""Reads Markdown pages: their fenced blocks, each with the comment that stands right above it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.glob("plugins/*/README.md"))]
NAMES = [page.relative_to(ROOT).as_posix() for page in PAGES]
BLOCK = re.compile(r"(?:^<!-- (?P<note>[^\n]*?) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.M | re.S)
LANGUAGES = ("python", "yaml", "console", "toml", "text")


@dataclass(frozen=True)
class Block:
    """One fenced block. Its note is `file: NAME` (it is that file), `from: PATH` (it stands in that file) or empty."""

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
    name = page.relative_to(ROOT).as_posix()
    return [
        Block(name, text.count("\n", 0, m.start("text")) + 1, m["language"], m["text"], m["note"] or "")
        for m in BLOCK.finditer(text)
    ]


def commands(block: Block) -> list[tuple[str, list[str]]]:
    """Return each `$ command` of a console block with the output shown under it."""
    found: list[tuple[str, list[str]]] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif not found:
            raise ValueError(f"{block.page}:{block.line}: output before the first command")
        elif found[-1][0].endswith("\\"):
            found[-1] = (found[-1][0][:-1] + line.strip(), [])
        else:
            found[-1][1].append(line.rstrip())
    return found
