"""The tutorials work to the end: their tests pass, and their component is trained, logged and reported."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pages
import pytest
import yaml

import skinframe
from skinframe import cli


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
    ("page", "test"),
    [
        ("first_loss.md", "test_my_loss.py"),
        ("first_encoder.md", "test_my_encoder.py"),
        ("contributing.md", "test_patient_weights.py"),
        ("contributing.md", "test_cosine_head.py"),
    ],
)
def test_the_contract_test_of_a_page_passes(page: str, test: str, tmp_path: Path, environment: dict[str, str]) -> None:
    written(page, tmp_path)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test]
    there = {**environment, "PYTHONPATH": f"{environment['PYTHONPATH']}:{tmp_path}"}
    done = subprocess.run(command, cwd=tmp_path, env=there, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


def test_the_loss_is_trained_logged_and_reported(small: Any, tmp_path: Path) -> None:
    files = written("first_loss.md", tmp_path)
    extra = {"plugins": [files["my_loss.py"]], "presets": [str(files["my_loss.yaml"])]}
    run = small.run(tmp_path / "runs", "train.epochs=1", **extra)
    lines = [json.loads(line) for line in (run.folder / "log.jsonl").read_text().splitlines()]
    assert all("penalty" in line["parts"] for line in lines)
    assert lines[-1]["parts"]["penalty"]["weight"] > lines[0]["parts"]["penalty"]["weight"] == 0
    assert "penalty" in (run.folder / "report.html").read_text(encoding="utf-8")


POLY = {  # Poly-1 (Leng et al. 2022, arXiv:2204.12511) in the place of the template's loss
    '"""Generalised cross entropy (Zhang and Sabuncu 2018, arXiv:1805.07836): (1/B) Σ_i (1 − p_iy^q) / q."""':  # noqa: RUF001
    '"""Poly-1 cross entropy (Leng et al. 2022, arXiv:2204.12511): (1/B) Σ_i −log p_iy + ε (1 − p_iy)."""',  # noqa: RUF001
    "q: float = 0.7  # near 0: cross entropy; 1: the mean absolute error": "epsilon: float = 1.0",
    "if not 0 < self.q <= 1:": "if self.epsilon < -1:",
    'raise ValueError(f"q must be in (0, 1], got {self.q}")':
    'raise ValueError(f"epsilon must be at least -1, got {self.epsilon}")',
    "each: Tensor = (1 - (self.config.q * own).exp()) / self.config.q":
    "each = self.config.epsilon * (1 - own.exp()) - own",
}  # fmt: skip


def test_a_loss_from_the_template_is_changed_checked_installed_and_run(
    small: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hatchling.build import build_wheel

    folder = skinframe.new("loss", "my_stranger", into=tmp_path)
    module = folder / "my_stranger.py"
    text = module.read_text(encoding="utf-8")
    for old, new in POLY.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    module.write_text(text, encoding="utf-8")
    monkeypatch.chdir(folder)
    with zipfile.ZipFile(tmp_path / build_wheel(str(tmp_path))) as wheel:
        wheel.extractall(tmp_path / "site")
    monkeypatch.syspath_prepend(tmp_path / "site")

    assert skinframe.check("my_stranger").ok
    recipe = yaml.safe_load(small.recipe.read_text(encoding="utf-8"))
    term = {"use": "my_stranger", "weight": 0.3, "config": {"epsilon": 2.0}}
    preset = tmp_path / "mine.yaml"
    preset.write_text(yaml.safe_dump({"requires": [*recipe["requires"], "my_stranger"], "losses": {"mine": term}}))
    run = small.run(tmp_path / "runs", "train.epochs=1", presets=[str(preset)])
    lines = [json.loads(line) for line in (run.folder / "log.jsonl").read_text().splitlines()]
    assert all(line["parts"]["mine"]["value"] > 0 for line in lines if "parts" in line)
    assert "my_stranger 0.1.0" in (run.folder / "plan.yaml").read_text(encoding="utf-8")


def test_the_encoder_replaces_clip_in_a_run(small: Any, tmp_path: Path) -> None:
    files = written("first_encoder.md", tmp_path)
    extra = {"plugins": [files["my_encoder.py"]], "presets": [str(files["my_encoder.yaml"])]}
    run = small.run(tmp_path / "runs", "train.epochs=1", "reasoner.config.pool=2", **extra)
    assert "thumbnail" in (run.folder / "plan.yaml").read_text(encoding="utf-8")


def test_the_plugin_of_the_readme_replaces_the_focal_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from skinframe.planning.load_plan import plan_of

    shown = pages.blocks(pages.ROOT / "README.md")
    (source,) = [block.text for block in shown if block.language == "python"]
    (tmp_path / "my_loss.py").write_text(source, encoding="utf-8")
    (tmp_path / "recipes").symlink_to(pages.ROOT / "recipes")
    monkeypatch.chdir(tmp_path)
    consoles = [block for block in shown if block.language == "console"]
    (command,) = [line for block in consoles for line, _ in pages.commands(block) if "my_loss.py" in line]
    options = cli.parser().parse_args(shlex.split(command)[1:])
    plan = plan_of(options.recipe, options.presets, options.overrides, options.without, options.plugins)
    assert plan.graph.terms["focal"] == {"logits": "classify.logits", "labels": "batch.labels"}
    assert plan.origins["losses.focal"].startswith("my_loss.py sha256:")
