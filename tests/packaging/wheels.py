"""Build every wheel from the tree, install them into an empty folder's environment, and make a report there.

uv run tox -e wheels                      Python 3.11, a short run of the main recipe
uv run tox -e wheels -- --python 3.13     another Python, which uv finds or fetches
uv run tox -e wheels -- --whole           `skinframe run cfa_full` with no further option
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHORT = ("data.config.images=240", "train.epochs=1", "evaluate.resamples=50", "evaluate.cases=2")
OWN = """extends: cfa_full
name: own
seed: 3
"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--python", default="3.11", help="version of Python (default: 3.11)")
    options.add_argument("--whole", action="store_true", help="run the main recipe as it is, which takes minutes")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="skinframe-wheels-") as folder:
        check(Path(folder), given.python, given.whole)


def check(folder: Path, python: str, whole: bool) -> None:
    """Build, install and run in a folder; exits with a message where something is missing."""
    wheels, venv, home = folder / "dist", folder / "venv", folder / "empty"
    home.mkdir()
    call(["uv", "build", "-q", "--wheel", "--all-packages", "-o", str(wheels)], ROOT)
    locked = folder / "constraints.txt"
    exported = ["uv", "export", "-q", "--frozen", "--no-hashes", "--no-emit-workspace", "--no-annotate", "--no-header"]
    locked.write_text(call([*exported, "--all-packages"], ROOT))
    call(["uv", "venv", "-q", "--python", python, str(venv)], home)
    files = [str(wheel) for wheel in sorted(wheels.glob("*.whl"))]
    interpreter = str(venv / "bin" / "python")
    call(["uv", "pip", "install", "-q", "--python", interpreter, "-c", str(locked), *files], home)
    where = call([interpreter, "-c", "import skinframe; print(skinframe.__file__)"], home).strip()
    assert Path(where).is_relative_to(venv), f"imports {where}, not the wheel"

    skinframe = str(venv / "bin" / "skinframe")
    listed = call([skinframe, "list", "--recipes"], home)
    expected = {file.stem for file in (ROOT / "recipes").rglob("*.yaml")}
    missing = sorted(name for name in expected if f"  {name} " not in listed)
    assert not missing, f"not in the wheel: {', '.join(missing)}"
    (home / "own.yaml").write_text(OWN)
    plan = call([skinframe, "plan", "own.yaml", "--preset", "mobilenet"], home)
    assert plan.startswith("own · scale mobilenet"), plan.splitlines()[0]

    begin = time.monotonic()
    call([skinframe, "run", "cfa_full", "--quiet", *([] if whole else [f"--set={value}" for value in SHORT])], home)
    (report,) = home.glob("runs/*/report.json")
    figures = json.loads(report.read_text(encoding="utf-8"))
    assert (report.parent / "report.html").is_file()
    call([skinframe, "verify", str(report.parent)], home)
    version = call([interpreter, "--version"], home).strip()
    print(f"{version}, {len(files)} wheels: `skinframe run cfa_full` made {report.parent.name}/report.html")
    print(f"{time.monotonic() - begin:.0f} s, {len(figures)} parts in report.json, {'whole' if whole else 'short'} run")


def call(words: list[str], where: Path) -> str:
    """Run a command outside the tree's environment and return what it printed; exits where it fails."""
    dropped = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "UV_PROJECT_ENVIRONMENT")
    environment = {name: value for name, value in os.environ.items() if name not in dropped}
    command = shutil.which(words[0]) or words[0]
    done = subprocess.run([command, *words[1:]], cwd=where, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(words[:4])}: exit {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return done.stdout


if __name__ == "__main__":
    main()
