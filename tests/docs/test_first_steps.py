"""The tutorials end where they say: their tests pass, and their component runs, is logged and is on the page."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pages
import pytest

from skinframe import cli
from skinframe.engine.start import plan_of


def written(page: str, folder: Path) -> dict[str, Path]:
    """Write a page's files as a reader would, the later version over the earlier one."""
    found = {}
    for block in pages.blocks(pages.ROOT / "docs" / page):
        name = block.note_of("file")
        if name is not None:
            (folder / name).write_text(block.text, encoding="utf-8")
            found[name] = folder / name
    return found


@pytest.mark.parametrize(
    ("page", "test"), [("first_loss.md", "test_my_loss.py"), ("first_encoder.md", "test_my_encoder.py")]
)
def test_its_contract_test_passes(page: str, test: str, tmp_path: Path, environment: dict[str, str]) -> None:
    written(page, tmp_path)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test]
    there = {**environment, "PYTHONPATH": f"{environment['PYTHONPATH']}:{tmp_path}"}
    done = subprocess.run(command, cwd=tmp_path, env=there, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


def test_the_loss_runs(small: Any, tmp_path: Path) -> None:
    files = written("first_loss.md", tmp_path)
    extra = {"plugins": [files["my_loss.py"]], "presets": [str(files["my_loss.yaml"])]}
    run = small.run(tmp_path / "runs", "train.epochs=1", **extra)
    lines = [json.loads(line) for line in (run.folder / "log.jsonl").read_text().splitlines()]
    assert all("doubt" in line["parts"] for line in lines)
    assert lines[-1]["parts"]["doubt"]["weight"] > lines[0]["parts"]["doubt"]["weight"] == 0
    assert "doubt" in (run.folder / "report.html").read_text(encoding="utf-8")


def test_the_encoder_runs(small: Any, tmp_path: Path) -> None:
    files = written("first_encoder.md", tmp_path)
    extra = {"plugins": [files["my_encoder.py"]], "presets": [str(files["my_encoder.yaml"])]}
    run = small.run(tmp_path / "runs", "train.epochs=1", "reasoner.config.pool=2", **extra)
    assert "thumbnail" in (run.folder / "plan.yaml").read_text(encoding="utf-8")


def test_the_readme_s_plugin_takes_focal_s_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = pages.blocks(pages.ROOT / "README.md")
    (source,) = [block.text for block in shown if block.language == "python"]
    (tmp_path / "my_loss.py").write_text(source, encoding="utf-8")
    (tmp_path / "recipes").symlink_to(pages.ROOT / "recipes")
    monkeypatch.chdir(tmp_path)
    consoles = [block for block in shown if block.language == "console"]
    (command,) = [line for block in consoles for line, _ in pages.commands(block) if "my_loss.py" in line]
    options = cli.parser().parse_args(shlex.split(command)[1:])
    plan = plan_of(options.recipe, options.preset, options.overrides, options.without, options.plugin)
    assert plan.wiring.losses["focal"] == {"logits": "classify.logits", "labels": "batch.labels"}
    assert plan.origins["losses.focal"].startswith("my_loss.py sha256:")
