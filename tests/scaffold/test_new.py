"""`skinframe new`: the project that it writes, and what it refuses."""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
import sys
import textwrap
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hatchling.build import build_wheel

import skinframe
from skinframe.components import KINDS
from skinframe.errors import DiskError, RecipeError

LOSS = """
from typing import Annotated
import torch
from torch import Tensor
import skinframe
from skinframe.signals import Labels, Logits, Signal

ToneWeightSignal = Annotated[Tensor, Signal("tone_weight", "B", "weight of the sample")]

class Reader(skinframe.Loss):
    name = "reader"
    coupling = "per_sample"

{forward}
@skinframe.hookimpl
def register_losses():
    return [Reader]
"""


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_small_and_says_its_name(projects: dict[str, Path], kind: str) -> None:
    folder, name = projects[kind], f"my_new_{kind}"
    files = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    assert set(files) == {"README.md", "pyproject.toml", f"{name}.py", f"test_{name}.py"}
    assert len(files["pyproject.toml"].splitlines()) < 25
    assert len(files[f"{name}.py"].splitlines()) < 150
    assert tomllib.loads(files["pyproject.toml"])["project"]["entry-points"]["skinframe"] == {name: name}
    for text in files.values():
        assert not any(left in text for left in ("my_name", "MyName", "KIND"))


def test_a_column_carries_its_name_and_says_how_a_loss_reads_it(tmp_path: Path) -> None:
    folder = skinframe.new("column", "tone_weight", into=tmp_path)
    module = (folder / "tone_weight.py").read_text(encoding="utf-8")
    assert 'Signal("tone_weight", "B", ' in module
    assert "ToneWeightSignal = Annotated[" in module
    assert 'available = "always"' in module
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert "is called by `use: tone_weight`" not in readme
    assert "tone_weight: ToneWeightSignal) -> Tensor:" in readme
    assert "columns: {tone_weight: {use: tone_weight, config: {strength: 0.5}}}" in readme


def test_a_loss_that_reads_a_new_column_as_its_readme_shows_is_planned(tmp_path: Path, small: Any) -> None:
    folder = skinframe.new("column", "tone_weight", into=tmp_path)
    readme = (folder / "README.md").read_text(encoding="utf-8")
    forward = re.search(r"```python\n(.*?)```", readme, re.S)[1]
    loss = LOSS.format(forward=textwrap.indent(forward, "    "))
    (tmp_path / "reader.py").write_text(loss, encoding="utf-8")
    preset = tmp_path / "preset.yaml"
    preset.write_text(
        "losses: {mine: {use: reader}}\ncolumns: {tone_weight: {use: tone_weight, config: {strength: 0.5}}}\n"
    )
    given = {"presets": [str(preset)], "plugins": [folder / "tone_weight.py", tmp_path / "reader.py"]}
    plan = skinframe.plan(small.recipe, overrides=small.overrides, **given)
    assert plan.graph.terms["mine"]["tone_weight"] == "batch.tone_weight"
    assert plan.parts.columns["tone_weight"].config.strength == 0.5


def test_every_project_passes_its_own_tests_untouched(projects: dict[str, Path], environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *map(str, projects.values())]
    cwd = next(iter(projects.values())).parent
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout
    assert "skipped" not in done.stdout


@pytest.mark.long
def test_a_project_inside_another_keeps_its_own_options(
    projects: dict[str, Path], tmp_path: Path, environment: dict[str, str]
) -> None:
    """Made inside a clone of skinframe, whose pytest options would hide the plugin from its own test."""
    (tmp_path / "pyproject.toml").write_text('[tool.pytest.ini_options]\naddopts = ["--import-mode=importlib", "-x"]\n')
    folder = shutil.copytree(projects["metric"], tmp_path / "plugins" / "my_new_metric")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout


def test_an_installed_project_is_listed_with_its_version(
    projects: dict[str, Path], tmp_path: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wheel is built and unpacked as an installer would."""
    monkeypatch.chdir(shutil.copytree(projects["loss"], tmp_path / "project"))
    wheel = build_wheel(str(tmp_path))
    site = tmp_path / "site"
    with zipfile.ZipFile(tmp_path / wheel) as archive:
        archive.extractall(site)
    there = {**environment, "PYTHONPATH": f"{environment['PYTHONPATH']}{os.pathsep}{site}"}
    command = [str(Path(sys.executable).with_name("skinframe")), "list", "my_new_loss"]
    done = subprocess.run(command, env=there, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert "  my_new_loss             my_new_loss 0.1.0" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("kind", "name", "said"),
    [
        ("lossy", "my_term", r"there is no kind 'lossy'; did you mean 'loss'\?"),
        ("loss", "My-Term", "'My-Term' must be at most 60 lower-case letters"),
        ("loss", "../term", "must be at most 60 lower-case letters"),
        ("loss", "", "must be at most 60 lower-case letters"),
        ("loss", "lambda", "no word of Python"),
        ("loss", "focal", "a loss 'focal' is registered by skinframe-cfa 0.1.0; take another name"),
        ("head", "linear", "a head 'linear' is registered by skinframe 0.1.0; take another name"),
        ("loss", "cfa", "a plugin 'cfa' is installed"),
        ("loss", "json", "a Python module 'json' exists here and would be hidden"),
    ],
)
def test_what_it_refuses(tmp_path: Path, kind: str, name: str, said: str) -> None:
    with pytest.raises(RecipeError, match=said) as found:
        skinframe.new(kind, name, into=tmp_path)
    assert found.value.exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_it_never_writes_over_anything(tmp_path: Path) -> None:
    (tmp_path / "my_term").write_text("mine", encoding="utf-8")
    with pytest.raises(RecipeError, match="my_term: exists already; take another name, or another place with --into"):
        skinframe.new("loss", "my_term", into=tmp_path)
    assert (tmp_path / "my_term").read_text(encoding="utf-8") == "mine"
    with pytest.raises(RecipeError, match="nowhere: is not a folder; make it first"):
        skinframe.new("loss", "my_term", into=tmp_path / "nowhere")


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(DiskError, match="my_term cannot be written: no space left on device") as found:
        skinframe.new("loss", "my_term", into=tmp_path)
    assert found.value.exit_code == 5
    assert list(tmp_path.iterdir()) == []
