"""Break the loss terms on purpose, one small change at a time, and count what the tests notice.

    uv run tox -e mutants                          # everything; the table goes to docs/mutants.md
    uv run tox -e mutants -- 'skinframe_cfa.classification.*' --dry    # some; the table is printed

mutmut runs in a copy of the plugin, so the working tree is never touched. It forks after torch is imported and runs,
for each mutant, only the tests that reach the changed function. Hypothesis draws the same examples each time and does
not shrink. A second call goes on where the first was cut off; `--fresh` starts again.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import table

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = ROOT / "plugins" / "skinframe-cfa"
PACKAGE = "skinframe_cfa"

CONFIG = f"""
[tool.mutmut]
source_paths = ["{PACKAGE}"]
also_copy = ["conftest.py"]
pytest_add_cli_args = ["--import-mode=importlib", "-p", "no:cacheprovider"]
pytest_add_cli_args_test_selection = TESTS
# the wording of a message is no mathematics
do_not_mutate_patterns = ["raise (ValueError|TypeError|DataError)", '^\\s*f?".*"$']
timeout_multiplier = 3.0
timeout_constant = 10.0
use_git_change_detection = false

[tool.pytest.ini_options]
timeout = 120
markers = ["shared: reads the real data beside the project"]
filterwarnings = ["error:Implicit dimension choice"]
"""

# without shrinking, and with a database that no mutant can fill for the next
CONFTEST = """
import runpy

from hypothesis import Phase, settings
from skinframe.testing import law

law.Phase = type("NoShrink", (), dict(generate=Phase.generate, shrink=Phase.generate))
runpy.run_path({conftest!r})
settings.register_profile("mutants", phases=(Phase.explicit, Phase.generate), database=None, deadline=None)
settings.load_profile("mutants")
"""


def prepare(work: Path, tests: Sequence[str]) -> None:
    """Lay package and tests into `work`; unchanged files keep their times, so mutmut keeps their results."""
    work.mkdir(parents=True, exist_ok=True)
    for name in (PACKAGE, "tests"):
        for old in (work / name, work / "mutants" / name):
            known = {path.relative_to(PLUGIN / name) for path in (PLUGIN / name).rglob("*")}
            for gone in [path for path in old.rglob("*.py") if path.relative_to(old) not in known]:
                gone.unlink()
        shutil.copytree(PLUGIN / name, work / name, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.rmtree(work / "mutants" / "tests", ignore_errors=True)
    (work / "pyproject.toml").write_text(CONFIG.replace("TESTS", json.dumps(list(tests))), encoding="utf-8")
    (work / "conftest.py").write_text(CONFTEST.format(conftest=str(ROOT / "conftest.py")), encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="mutants, as patterns of their names")
    parser.add_argument("--work", type=Path, default=ROOT / ".tox" / "mutants-work")
    parser.add_argument("--tests", nargs="+", default=["tests"], help="test files, from the plugin's folder; all")
    parser.add_argument("--children", type=int, default=1)
    parser.add_argument("--fresh", action="store_true", help="forget what an earlier call found")
    parser.add_argument("--dry", action="store_true", help="print the table instead of writing docs/mutants.md")
    options = parser.parse_args()
    if options.fresh:
        shutil.rmtree(options.work, ignore_errors=True)
    prepare(options.work, options.tests)
    words = [str(Path(sys.executable).with_name("mutmut")), "run", "--max-children", str(options.children)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    code = subprocess.run([*words, *options.names], cwd=options.work, env=environment, check=False).returncode
    results = table.read(options.work, PACKAGE)
    if not results:
        return code or 1
    reasons = json.loads((Path(__file__).parent / "survivors.json").read_text(encoding="utf-8"))
    scope = f"Over {', '.join(options.names) or 'everything'}, with {', '.join(options.tests)}."
    page = table.page(results, reasons, table.commit(ROOT), scope.replace("*", "…"))
    if options.dry:
        print(page)
    else:
        (ROOT / "docs" / "mutants.md").write_text(page, encoding="utf-8")
    return 0 if table.score(results) >= table.BAR else 1


if __name__ == "__main__":
    raise SystemExit(main())
