"""E2. No loader of pickles, no shell, no archive: the lint knows each, and the code base is clean of them."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions, version
from pathlib import Path

import pytest

PLUGINS = ("cfa", "clip", "derm", "example", "qwen", "tiny", "vlm")
BANNED = [
    "import pickle", "from joblib import load", "import torch\ntorch.load('x')", "import shelve", "import tarfile",
    "import numpy as np\nnp.load('x', allow_pickle=True)", "from transformers import AutoModel", "import zipfile",
    "import os\nos.system('x')", "import subprocess\nsubprocess.run('x', shell=True)", "import hydra", "eval('1')",
    "import shutil\nshutil.unpack_archive('x')", "from jinja2 import Environment\nEnvironment()", "exec('1')",
]  # fmt: skip


@pytest.mark.parametrize("code", BANNED)
@pytest.mark.gate("E2")
def test_the_lint_bites(root: Path, code: str) -> None:
    command = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--no-cache",
        "--select",
        "S,TID251",
        "--stdin-filename",
        "skinframe/new.py",
        "-",
    ]
    found = subprocess.run(command, input=code, cwd=root, capture_output=True, text=True, timeout=60)
    assert found.returncode == 1, found.stdout


@pytest.mark.gate("E2")
def test_no_call_takes_a_shell_or_a_pickle(root: Path) -> None:
    """What a lint rule could be silenced for by a comment: keywords, read from the syntax tree."""
    files = [*(root / "skinframe").rglob("*.py"), *(root / "plugins").rglob("*.py")]
    for path in [file for file in files if "tests" not in file.parts and ".venv" not in file.parts]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg in ("shell", "allow_pickle", "trust_remote_code"):
                assert isinstance(node.value, ast.Constant), path
                assert node.value.value is False, path
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = {alias.name.partition(".")[0] for alias in node.names}
                module = (node.module or "").partition(".")[0] if isinstance(node, ast.ImportFrom) else ""
                assert not {module, *names} & {"pickle", "joblib", "dill", "tarfile", "zipfile", "hydra"}, path


def test_version_floors(monkeypatch: pytest.MonkeyPatch) -> None:
    """The floors hold here, and a version below one is refused by name."""
    import skinframe.planning.load_plan as start
    from skinframe.errors import RecipeError

    start.refuse_old_libraries("recipe")
    for name, floor in start.FLOORS.items():
        assert start._numbers(version(name)) >= floor
    monkeypatch.setattr(start, "version", lambda name: "1.9.4")
    with pytest.raises(RecipeError, match=r"transformers: version 1\.9\.4 is below 5\.3; pip install --upgrade"):
        start.refuse_old_libraries("recipe")


def test_predict_and_a_foreign_set_refuse_an_old_library_first(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both read a model folder, as a run does."""
    import skinframe
    import skinframe.planning.load_plan as start
    from skinframe.errors import RecipeError
    from skinframe.predicting.external_dataset import predict_external
    from skinframe.predicting.predict_images import predict
    from skinframe.progress import Display

    monkeypatch.setattr(start, "version", lambda name: "1.9.4")
    with pytest.raises(RecipeError, match=r"transformers: version 1\.9\.4 is below 5\.3"):
        predict(tmp_path, [])
    plan = skinframe.plan(root / "recipes" / "cfa_full.yaml")
    with pytest.raises(RecipeError, match=r"transformers: version 1\.9\.4 is below 5\.3"):
        predict_external(tmp_path, plan, tmp_path, Display(), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("place", [".", *(f"plugins/skinframe-{name}" for name in PLUGINS)])
def test_every_direct_import_is_declared(root: Path, place: str) -> None:
    """What is imported is a dependency or an extra, and not there by another package's grace."""
    table = tomllib.loads((root / place / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [
        *table["dependencies"],
        *(one for extra in table.get("optional-dependencies", {}).values() for one in extra),
    ]
    declared = {_plain(re.split(r"[<>=!~\[; ]", one)[0]) for one in wanted} | {_plain(table["name"])}
    package = root / place / table["name"].replace("-", "_")
    owners, imported = packages_distributions(), set()
    for path in package.rglob("*.py"):
        if "templates" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.partition(".")[0])
    foreign = imported - sys.stdlib_module_names - {package.name}
    assert len(foreign) >= 1
    assert [name for name in sorted(foreign) if not declared & {_plain(one) for one in owners.get(name, [name])}] == []


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")
