"""Break the code on purpose, one small change at a time, and count what the tests notice.

    uv run tox -e mutants                                      # every loss term; the table goes to docs/mutants.md
    uv run tox -e mutants -- '*.calibration.*' --dry           # some; the table is printed
    uv run tox -e mutants -- --room planning --room model --room train --sample 300 --seed 14

Package and tests are copied, so the working tree is never touched. mutmut writes the changes; drive.py tries them, each
in a fork of a process that has torch imported and the tests collected. Hypothesis draws the same examples each time and
does not shrink. A second call goes on where the first was cut off, tries survivors again where their tests have
changed, and forgets what was found of a function that has; `--fresh` starts again, as it must where the engine changes.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from fnmatch import fnmatch
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import breaks
import drive
import table
from targets import HERE, ROOT, TARGETS, Target

PYTEST = """
[pytest]
addopts = --import-mode=importlib
markers =
    shared: reads the real data beside the project
    slow: takes longer than a minute
filterwarnings = error:Implicit dimension choice
"""

# without shrinking, and with a database that no mutant can fill for the next
CONFTEST = """
import runpy

from hypothesis import Phase, settings
from skinframe.testing import law_and_check

law_and_check.Phase = type("NoShrink", (), dict(generate=Phase.generate, shrink=Phase.generate))
runpy.run_path({conftest!r})
options = dict(phases=(Phase.explicit, Phase.generate), database=None, deadline=None, derandomize=True)
settings.register_profile("mutants", **options)
settings.load_profile("mutants")
"""


def prepare(target: Target, work: Path) -> list[breaks.Mutant]:
    """Lay tests and the mutated package into `work`, and return the mutants."""
    work.mkdir(parents=True, exist_ok=True)
    mutants = target.lay(work)
    (work / "pytest.ini").write_text(PYTEST, encoding="utf-8")
    (work / "conftest.py").write_text(CONFTEST.format(conftest=str(ROOT / "conftest.py")), encoding="utf-8")
    return mutants


def drawn(mutants: Sequence[breaks.Mutant], count: int | None, seed: int) -> list[breaks.Mutant]:
    """Return a sample of the mutants without replacement, in their order; all of them where there are no more.

    A longer sample of one seed begins with the shorter one, so that what was tried is not tried again.
    """
    if count is None:
        return list(mutants)
    chosen = random.Random(seed).sample(range(len(mutants)), len(mutants))[:count]
    return [mutants[i] for i in sorted(chosen)]


def tried(target: Target, options: argparse.Namespace) -> list[table.Result]:
    """Try a target's mutants, unless only the page is asked for, and return what became of each.

    Raises CalledProcessError where the tests cannot be run without a change.
    """
    work = options.work.resolve() / target.name
    if options.fresh:
        shutil.rmtree(work, ignore_errors=True)
    mutants = drawn(prepare(target, work), options.sample, options.seed)
    todo = [asdict(mutant) for mutant in mutants if any(fnmatch(mutant.name, name) for name in options.names)]
    (work / "todo.json").write_text(json.dumps(todo), encoding="utf-8")
    if not options.only_page:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(work)}
        words = [sys.executable, str(HERE / "drive.py"), str(work), str(options.children), str(target.elsewhere)]
        words += ["-k", f"({options.tests or 'test'}) and not loads_no_torch"]
        subprocess.run(words, env=environment, check=True, cwd=work)
    found = {row["name"]: row for row in drive.rows(work / "results.jsonl")}
    return [
        table.Result(mutant, row if (row := found.get(mutant.name)) and row["digest"] == mutant.digest else None)
        for mutant in mutants
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=["*"], help="mutants, as patterns of their names")
    parser.add_argument("--room", action="append", choices=list(TARGETS), help="what to break; may be given again")
    parser.add_argument("--sample", type=int, help="try that many mutants of each room, drawn by the seed")
    parser.add_argument("--seed", type=int, default=14, help="the seed of the sample")
    parser.add_argument("--tests", help="run only the tests that this pytest expression selects, as its option -k does")
    parser.add_argument("--work", type=Path, default=ROOT / ".tox" / "mutants-work")
    parser.add_argument("--children", type=int, default=1, help="mutants tried at a time")
    parser.add_argument("--fresh", action="store_true", help="forget what an earlier call found")
    parser.add_argument("--dry", action="store_true", help="print the table instead of writing docs/mutants.md")
    parser.add_argument("--only-page", action="store_true", help="write the page of what was found so far")
    options = parser.parse_args()
    page, passed = ROOT / "docs" / "mutants.md", True
    reasons = json.loads((HERE / "survivors.json").read_text(encoding="utf-8"))
    for target in [TARGETS[name] for name in options.room or ["cfa"]]:
        try:
            results = tried(target, options)
        except subprocess.CalledProcessError as error:
            return error.returncode
        sample = table.Sample(options.sample, options.seed) if options.sample else None
        section = table.section(target, results, reasons.get(target.name, {}), table.commit(ROOT), sample)
        if options.dry:
            print(section)
        else:
            page.write_text(table.replaced(page.read_text(encoding="utf-8"), target.title, section), encoding="utf-8")
        passed &= table.score(results) >= target.bar and all(result.checked for result in results)
    return 0 if passed else 1


if __name__ == "__main__":
    raise SystemExit(main())
