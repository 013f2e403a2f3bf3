"""Published metadata says up to which version each dependency was tested, and the tested one lies within."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECTS = [ROOT / "pyproject.toml", *sorted((ROOT / "plugins").glob("*/pyproject.toml"))]
PINS = {
    canonicalize_name(pin.partition("==")[0]): pin.partition("==")[2]
    for pin in tomllib.loads(PROJECTS[0].read_text())["tool"]["uv"]["constraint-dependencies"]
}


def requirements(file: Path) -> list[Requirement]:
    """Return what an installation of a project takes: dependencies, extras and the build backend."""
    written = tomllib.loads(file.read_text())
    project = written["project"]
    optional = [line for lines in project.get("optional-dependencies", {}).values() for line in lines]
    return [Requirement(line) for line in (*project["dependencies"], *optional, *written["build-system"]["requires"])]


@pytest.mark.parametrize("file", PROJECTS, ids=lambda file: file.parent.name)
def test_each_requirement_has_a_tested_upper_bound(file: Path) -> None:
    for requirement in requirements(file):
        name = canonicalize_name(requirement.name)
        if name.startswith("skinframe"):
            continue
        operators = {part.operator for part in requirement.specifier}
        assert operators & {"<", "<=", "=="}, f"{requirement} has no upper bound"
        assert name in PINS, f"{name} has no tested version in the constraints"
        assert requirement.specifier.contains(PINS[name]), f"{requirement} leaves out the tested {PINS[name]}"


@pytest.mark.skipif(shutil.which("uv") is None, reason="uv is not installed")
def test_the_hashed_requirements_have_no_address() -> None:
    """The command of SECURITY.md, on the lock of this clone."""
    words = [
        "export",
        "--quiet",
        "--frozen",
        "--extra",
        "all",
        "--no-dev",
        "--no-emit-workspace",
        "--no-header",
        "--no-annotate",
    ]
    if not (ROOT / "uv.lock").is_file():
        pytest.skip("this clone has no lock")
    done = subprocess.run(["uv", *words], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line and not line.startswith("    --hash=sha256:")]
    assert len(lines) > 50
    assert not any("://" in line or line.startswith("-") for line in lines)
    assert all("==" in line for line in lines)
    text = (ROOT / "SECURITY.md").read_text()
    assert f"uv {' '.join(words)}" in " ".join(text.split())
