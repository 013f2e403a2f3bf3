"""Break the loss terms on purpose, one small change at a time, and count what the tests notice.

    uv run tox -e mutants                                      # everything; the table goes to docs/mutants.md
    uv run tox -e mutants -- '*.calibration.*' --dry           # some; the table is printed

Package and tests are copied, so the working tree is never touched. mutmut writes the changes; drive.py tries them, each
in a fork of a process that has torch imported and the tests collected. Hypothesis draws the same examples each time and
does not shrink. A second call goes on where the first was cut off, tries survivors again where their tests have
changed, and forgets what was found of a function that has; `--fresh` starts again, as it must where the engine changes.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict
from fnmatch import fnmatch
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import breaks
import drive
import table

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PLUGIN = ROOT / "plugins" / "skinframe-cfa"
PACKAGE = "skinframe_cfa"

PYTEST = """
[pytest]
addopts = --import-mode=importlib
markers = shared: reads the real data beside the project
filterwarnings = error:Implicit dimension choice
"""

# without shrinking, and with a database that no mutant can fill for the next
CONFTEST = """
import runpy

from hypothesis import Phase, settings
from skinframe.testing import law

law.Phase = type("NoShrink", (), dict(generate=Phase.generate, shrink=Phase.generate))
runpy.run_path({conftest!r})
options = dict(phases=(Phase.explicit, Phase.generate), database=None, deadline=None, derandomize=True)
settings.register_profile("mutants", **options)
settings.load_profile("mutants")
"""


def prepare(work: Path) -> list[breaks.Mutant]:
    """Lay tests and the mutated package into `work`, and return the mutants."""
    work.mkdir(parents=True, exist_ok=True)
    for name in ("tests", PACKAGE):
        shutil.rmtree(work / name, ignore_errors=True)
    shutil.copytree(PLUGIN / "tests", work / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    (work / "pytest.ini").write_text(PYTEST, encoding="utf-8")
    (work / "conftest.py").write_text(CONFTEST.format(conftest=str(ROOT / "conftest.py")), encoding="utf-8")
    return breaks.write(PLUGIN / PACKAGE, work / PACKAGE)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=["*"], help="mutants, as patterns of their names")
    parser.add_argument("--work", type=Path, default=ROOT / ".tox" / "mutants-work")
    parser.add_argument("--children", type=int, default=1, help="mutants tried at a time")
    parser.add_argument("--fresh", action="store_true", help="forget what an earlier call found")
    parser.add_argument("--dry", action="store_true", help="print the table instead of writing docs/mutants.md")
    parser.add_argument("--only-page", action="store_true", help="write the page of what was found so far")
    options = parser.parse_args()
    if options.fresh:
        shutil.rmtree(options.work, ignore_errors=True)
    work = options.work.resolve()
    mutants = prepare(work)
    todo = [asdict(mutant) for mutant in mutants if any(fnmatch(mutant.name, name) for name in options.names)]
    (work / "todo.json").write_text(json.dumps(todo), encoding="utf-8")
    if not options.only_page:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(work)}
        words = [sys.executable, str(HERE / "drive.py"), str(work), str(options.children)]
        code = subprocess.run(words, env=environment, check=False).returncode
        if code:
            return code
    found = {row["name"]: row for row in drive.rows(work / "results.jsonl")}
    results = [
        table.Result(mutant, row if (row := found.get(mutant.name)) and row["digest"] == mutant.digest else None)
        for mutant in mutants
    ]
    reasons = json.loads((HERE / "survivors.json").read_text(encoding="utf-8"))
    page = table.page(results, reasons, table.commit(ROOT))
    if options.dry:
        print(page)
    else:
        (ROOT / "docs" / "mutants.md").write_text(page, encoding="utf-8")
    return 0 if table.score(results) >= table.BAR and all(result.checked for result in results) else 1


if __name__ == "__main__":
    raise SystemExit(main())
