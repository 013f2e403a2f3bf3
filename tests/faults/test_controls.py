"""A11. With a safety taken away, the check that should find it does; and what the guarantees name exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

SPLIT = "train.save_every=2"


def interrupted(small: Any, out: Path) -> Any:
    """Stop after the second step's checkpoint, then resume in the same process."""
    import skinframe.train.training_loop as loop

    real = loop.save_checkpoint

    def once(*arguments: Any) -> Any:
        real(*arguments)
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "save_checkpoint", once)
        with pytest.raises(KeyboardInterrupt):
            small.run(out, "train.epochs=1", SPLIT)
    return small.run(out, "train.epochs=1", SPLIT, resume=True)


@pytest.mark.gate("A11")
def test_a11_without_the_steps_seed_a_resume_differs(
    small: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the seed the two logs are equal; without it dropout goes on from wherever the generator stood."""
    import torch

    import skinframe.train.training_loop as loop

    whole = small.run(tmp_path / "whole", "train.epochs=1", SPLIT).folder
    assert (interrupted(small, tmp_path / "cut").folder / "log.jsonl").read_text() == (whole / "log.jsonl").read_text()
    with monkeypatch.context() as patch:
        patch.setattr(loop, "seed_everything", lambda seed: None)
        patch.setattr(torch, "manual_seed", lambda seed: torch.default_generator)
        torch.default_generator.manual_seed(1)
        whole = small.run(tmp_path / "whole without", "train.epochs=1", SPLIT).folder
        cut = interrupted(small, tmp_path / "cut without").folder
    assert (cut / "log.jsonl").read_text() != (whole / "log.jsonl").read_text()


def test_every_test_that_the_guarantees_name_exists(root: Path) -> None:
    named = re.findall(r"`((?:tests|plugins)/[\w./-]+\.py)::(\w+)`", (root / "docs" / "guarantees.md").read_text())
    assert len(named) > 30
    for file, test in named:
        tree = ast.parse((root / file).read_text(encoding="utf-8"))
        assert test in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}, f"{file}::{test}"


def test_the_guarantees_say_which_rows_are_nightly(root: Path) -> None:
    rows = re.findall(r"\| (T\d[^|]*) \| `(.+?\.py)::(\w+)` \|", (root / "docs" / "guarantees.md").read_text())
    assert len(rows) > 25
    for tier, file, test in rows:
        marked = rf"@pytest\.mark\.nightly\n(@.*\n)*def {test}\("
        found = re.search(marked, (root / file).read_text(encoding="utf-8")) is not None
        assert found == tier.endswith(", nightly"), f"{file}::{test}"


GATE = {
    "A1",
    "A2",
    "A3",
    "A8",
    "A10",
    "A11",
    "B1",
    "B3",
    "C2",
    "C4",
    "C6",
    "D1",
    "D6",
    "E1",
    "E2",
    "E3",
    "E6",
    "F1",
    "F2",
}


def test_every_point_of_the_gate_has_a_test_that_the_default_run_runs(root: Path) -> None:
    found: dict[str, str] = {}
    for file in [*root.glob("tests/**/test_*.py"), *root.glob("plugins/*/tests/**/test_*.py")]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                words = [ast.unparse(one) for one in node.decorator_list]
                named = [word for word in words if word.startswith("pytest.mark.gate(")]
                assert not named or "pytest.mark.nightly" not in words, node.name
                found |= {ast.literal_eval(word.partition("gate")[2]): node.name for word in named}
    assert found.keys() == GATE
