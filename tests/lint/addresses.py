"""A lint rule: only `planning/address.py` takes signal addresses apart, puts them together, or spells a prefix of one.

    python tests/lint/addresses.py [FOLDER ...]

Looks at the rooms that handle signals, and exits 1 naming file and line. Recipe paths (`losses.focal`) and keys of a
state dict have dots too: the functions that handle those are listed below with the reason.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = (
    "planning",
    "data",
    "model",
    "train",
    "features",
    "preparing",
    "predicting",
    "explaining",
    "judging",
    "running",
)
OWNER = "planning/address.py"
SPLITS = {"split", "rsplit", "partition", "rpartition"}
PREFIXES = {"startswith", "removeprefix", "endswith", "removesuffix"}
NOT_ADDRESSES = {
    ("planning/plan.py", "_origins"): "recipe paths",
    ("planning/plan.py", "_identity"): "keys of the identity",
    ("planning/resolve_components.py", "resolve.many"): "recipe paths",
    ("planning/resolve_components.py", "misfits"): "recipe paths",
    ("planning/plan_text.py", "_components"): "recipe paths",
    ("planning/offered_signals.py", "disabled_parts"): "recipe paths",
    ("planning/connect.py", "_instance_names"): "recipe paths",
    ("data/worker_pool.py", "*"): "names of modules",
    ("model/module.py", "Model.trained_state"): "keys of the state",
    ("model/module.py", "Model.load_trained_state"): "keys of the state",
    ("model/objective.py", "Objective.state"): "keys of the state",
    ("train/optimiser.py", "*"): "names of parameters and moments",
    ("train/checkpoint.py", "*"): "keys of the state",
    ("train/step_guards.py", "*"): "keys of the state",
}


def violations(path: Path, name: str) -> Iterator[tuple[int, str]]:
    """Yield line and reason for each place in a file that handles an address itself."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for scope, node in _walk(tree, ""):
        if (name, "*") in NOT_ADDRESSES or (name, scope) in NOT_ADDRESSES:
            continue
        reason = _reason(node)
        if reason:
            yield node.lineno, reason  # type: ignore[attr-defined]


def _walk(node: ast.AST, scope: str) -> Iterator[tuple[str, ast.AST]]:
    for child in ast.iter_child_nodes(node):
        inner = scope
        if isinstance(child, ast.FunctionDef | ast.ClassDef):
            inner = f"{scope}.{child.name}" if scope else child.name
        yield inner, child
        yield from _walk(child, inner)


def _reason(node: ast.AST) -> str | None:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
        text = _constant(node.args[0])
        if node.func.attr in SPLITS and text == ".":
            return f"splits at '.' with {node.func.attr}; use skinframe.planning.address.Address"
        if node.func.attr in PREFIXES and text in ("batch.", "reasoner."):
            return f"tests for the prefix '{text}'; use Address.instance"
    if isinstance(node, ast.JoinedStr):
        parts = node.values
        shape = [_constant(part) if isinstance(part, ast.Constant) else "{}" for part in parts]
        if shape == ["{}", ".", "{}"] or (shape[:1] in (["batch."], ["reasoner."]) and shape[1:] == ["{}"]):
            return "joins an address in an f-string; use skinframe.planning.address.Address"
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        head, dot, tail = node.value.partition(".")
        if head == "batch" and dot and tail.isidentifier():
            return f"spells the address '{node.value}'; use skinframe.planning.address.column"
    return None


def _constant(node: ast.AST) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def main(folders: list[str]) -> int:
    """Print every violation; return the exit code."""
    found = 0
    roots = [Path(folder) for folder in folders] or [ROOT / "skinframe" / room for room in ROOMS]
    for root in roots:
        for path in sorted(root.rglob("*.py")):
            name = path.relative_to(root.parent).as_posix()
            for line, reason in violations(path, name) if name != OWNER else ():
                print(f"{path}:{line}: {reason}")
                found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
