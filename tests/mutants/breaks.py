"""The changes: mutmut writes each one, and the words that differ are what a reader sees of it."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from textwrap import dedent

NUMBER = re.compile(r"__mutmut_(orig|\d+)\(")
ROUND = 32  # letters shown on either side of a change
# the wording of a message is no mathematics
CONFIG = """
[tool.mutmut]
source_paths = ["PACKAGE"]
do_not_mutate_patterns = ['raise \\w+Error', 'Problem\\(', '^\\s*f?".*"$']
"""


@dataclass(frozen=True)
class Mutant:
    """One change: its name, the module and function it is in, that function's digest, and the words that differ.

    `wording` says that only a text with a blank in it differs, which is something that people read.
    """

    name: str
    module: str
    function: str
    digest: str
    change: str
    wording: bool = False


def write(source: Path, target: Path, prefix: str = "") -> list[Mutant]:
    """Lay a copy of the package `source` into `target`, with every mutant of every function beside the original.

    `prefix` is the dotted name of what holds the package, dot included.
    """
    folder = target.parent if not prefix else target.parents[prefix.count(".")]
    memory = folder / "written.json"
    known = json.loads(memory.read_text(encoding="utf-8")) if memory.exists() else {}
    fresh = {}
    for path in sorted(source.rglob("*.py")):
        module = prefix + ".".join(path.relative_to(source.parent).with_suffix("").parts)
        digest = hashlib.sha256(path.read_bytes() + Path(__file__).read_bytes()).hexdigest()
        fresh[module] = known.get(module, {})
        if fresh[module].get("digest") != digest:
            code, mutants = _of_file(path, module, folder)
            fresh[module] = {"digest": digest, "code": code, "mutants": [asdict(mutant) for mutant in mutants]}
        place = target / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(fresh[module]["code"], encoding="utf-8")
    memory.write_text(json.dumps(fresh), encoding="utf-8")
    return [Mutant(**row) for rows in fresh.values() for row in rows["mutants"]]


def _of_file(path: Path, module: str, folder: Path) -> tuple[str, list[Mutant]]:
    from mutmut.mutation.file_mutation import mutate_file_contents

    with _settings(folder, module.partition(".")[0]):
        mutated = mutate_file_contents(str(path), path.read_text(encoding="utf-8"))
    lines = mutated.code.splitlines()

    def text(name: str) -> list[str]:
        span = mutated.line_span_by_function_name[name]
        return lines[span.start - 1 : span.end]

    found = []
    for name in mutated.mutant_names:
        function = name.rpartition("__mutmut_")[0]
        original = text(f"{function}__mutmut_orig")
        change, digest = difference(original, text(name)), mutated.hash_by_function_name[function]
        wording = only_wording(original, text(name))
        found.append(Mutant(f"{module}.{name}", module, f"{module}.{function}", digest, change, wording))
    return mutated.code, found


@contextmanager
def _settings(folder: Path, package: str) -> Iterator[None]:
    """Stand where mutmut reads its settings."""
    (folder / "pyproject.toml").write_text(CONFIG.replace("PACKAGE", package), encoding="utf-8")
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def difference(original: list[str], mutated: list[str]) -> str:
    """Return `before → after`: the part of the function that differs, with a few words around it."""
    before, after = (" ".join(NUMBER.sub("(", " ".join(lines)).split()) for lines in (original, mutated))
    start = _alike(before, after)
    end = min(_alike(before[::-1], after[::-1]), len(before) - start, len(after) - start)
    left, right = max(0, start - ROUND), max(0, end - ROUND)
    one, other = (text[left : len(text) - right].strip() for text in (before, after))
    return f"{one} → {other}"


def _alike(one: str, other: str) -> int:
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def only_wording(original: list[str], mutated: list[str]) -> bool:
    """Say whether two versions of a function differ in texts with a blank in them and in nothing else."""
    before, after = (list(ast.walk(ast.parse(dedent("\n".join(lines))))) for lines in (original, mutated))
    if len(before) != len(after):
        return False
    for one, other in zip(before, after, strict=True):
        if type(one) is not type(other):
            return False
        if isinstance(one, ast.Constant) and isinstance(other, ast.Constant) and one.value != other.value:
            return isinstance(one.value, str) and " " in one.value
    return False
