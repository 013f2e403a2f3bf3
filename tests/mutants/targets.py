"""What can be broken: the loss terms of skinframe-cfa in whole, and rooms of skinframe by a seeded sample."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import breaks

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
IGNORED = shutil.ignore_patterns("__pycache__", "cluster", "oracle")


@dataclass(frozen=True, kw_only=True)
class Target:
    """One package or room: where its source and tests are, and how long a change may meet tests of other files.

    `tests` are folders below `tests/` of the repository, whose tests may notice a change; the room's own come first.
    """

    name: str
    title: str
    source: Path
    bar: float
    elsewhere: float  # seconds of tests outside of the module's own file, in the order of their length
    tests: tuple[str, ...] = ()

    @property
    def prefix(self) -> str:
        """The dotted name of the package that holds `source`, with a dot, or nothing."""
        return "skinframe." if self.tests else ""

    def lay(self, work: Path) -> list[breaks.Mutant]:
        """Lay tests and the mutated package into `work`, and return the mutants."""
        for name in ("tests", "recipes", "skinframe", "skinframe_cfa"):
            shutil.rmtree(work / name, ignore_errors=True)
        if not self.tests:
            shutil.copytree(self.source.parent / "tests", work / "tests", ignore=IGNORED)
            return breaks.write(self.source, work / self.source.name)
        shutil.copytree(ROOT / "skinframe", work / "skinframe", ignore=IGNORED)
        shutil.copytree(ROOT / "recipes", work / "recipes")
        for folder in self.tests:
            shutil.copytree(ROOT / "tests" / folder, work / "tests" / folder, ignore=IGNORED)
        for name in ("conftest.py", "small.yaml"):
            shutil.copy(ROOT / "tests" / name, work / "tests" / name)
        mutants = breaks.write(self.source, work / "skinframe" / self.source.name, self.prefix)
        return [mutant for mutant in mutants if not mutant.wording]


def _room(name: str, *more: str) -> Target:
    source = ROOT / "skinframe" / name
    return Target(name=name, title=f"skinframe.{name}", source=source, bar=0.9, elsewhere=20.0, tests=(name, *more))


TARGETS = {
    "cfa": Target(
        name="cfa",
        title="skinframe_cfa",
        source=ROOT / "plugins" / "skinframe-cfa" / "skinframe_cfa",
        bar=0.95,
        elsewhere=6.0,
    ),
    "planning": _room("planning"),
    "model": _room("model"),
    "train": _room("train"),
}
