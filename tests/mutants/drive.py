"""Tries each mutant in a fork of one warm process: torch imported, tests collected, the tests of its function known.

Started by run.py with the mutated package first on the path. Results are appended to a file as they come. A fixture of
the session or of a module whose setup reaches nothing that is changed is set up once, here, and every child has it.
"""

from __future__ import annotations

import gc
import hashlib
import inspect
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TextIO

import pytest
from _pytest.runner import runtestprotocol

SLACK, WALL = 20.0, 600  # seconds of CPU above three times a test's own, and of the clock for one mutant
LAST = 250  # the largest exit code for the place of a test
MEMORY = 8 << 30  # bytes a mutant may add


class Driver:
    """A pytest plugin: in place of running the tests once, it runs what reaches each mutant, until one test fails."""

    def __init__(self, work: Path, todo: Sequence[Mapping[str, str]], children: int, elsewhere: float) -> None:
        self.work, self.todo, self.children, self.elsewhere = work, todo, children, elsewhere
        self.hits: set[str] = set()  # the functions reached since it was emptied
        self.setup = 0.0  # seconds in the setup of such fixtures since it was put to 0
        self.fixtures: dict[str, Fixture] = {}  # those of the session or of a module
        self.reach: dict[str, Any] = {}
        self.killers: dict[str, Counter[str]] = {}  # by function: the tests that noticed its changes so far

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            raise pytest.UsageError(f"{session.testsfailed} test files cannot be imported")
        # a command line in a process of its own meets the package as it is, and no mutant
        kept = [item for item in session.items if "cli" not in getattr(item, "fixturenames")]  # noqa: B009
        self.look(kept)
        items = {item.nodeid: item for item in kept}
        functions: dict[str, list[str]] = {}
        for node in items:
            for function in self.reach[node]["hits"]:
                functions.setdefault(function, []).append(node)
        self.warm(items, functions)
        done = {row["name"]: row for row in rows(self.work / "results.jsonl")}
        running: dict[int, dict[str, Any]] = {}
        with (self.work / "results.jsonl").open("a", encoding="utf-8") as out:
            for mutant in self.todo:
                chosen = self.choose(mutant, functions.get(mutant["function"], []))
                tests = hashlib.sha256(json.dumps([self.reach[node]["digest"] for node in chosen]).encode()).hexdigest()
                old = done.get(mutant["name"])
                if old and old["digest"] == mutant["digest"] and (old["killed"] or old["tests"] == tests):
                    continue
                if len(running) == self.children:
                    self.note(running, out)
                often = self.killers.get(mutant["function"], Counter())
                order = sorted(chosen, key=lambda node, often=often: -often[node])
                child = fork(mutant["name"], [items[node] for node in order], self)
                row = {"name": mutant["name"], "digest": mutant["digest"], "tests": tests, "order": order}
                running[child] = {**row, "function": mutant["function"]}
            while running:
                self.note(running, out)
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> Any:
        """Set up a fixture that outlives a test: note what it reaches; one that reaches nothing is kept."""
        if fixturedef.scope == "function" or fixturedef.params or inspect.isgeneratorfunction(fixturedef.func):
            return None
        fixture = self.fixtures.setdefault(place_of(fixturedef), Fixture())
        if not fixture.kept:
            before, self.hits = self.hits, set()
            started = time.process_time()
            values = {name: request.getfixturevalue(name) for name in fixturedef.argnames if name != "request"}
            if "request" in fixturedef.argnames:
                values["request"] = request
            self.hits = set()
            fixture.value = fixturedef.func(**values)
            fixture.hits, fixture.seconds = self.hits, time.process_time() - started
            self.setup += fixture.seconds
            self.hits = before
            fixture.kept = not fixture.hits and self.all_kept(fixturedef, request)
        fixturedef.cached_result = (fixture.value, fixturedef.cache_key(request), None)
        return fixture

    def all_kept(self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> bool:
        """Say whether what a fixture is made of is kept too; the own folders of pytest always are."""
        names = set(fixturedef.argnames) - {"tmp_path_factory", "request"}
        used = [request._get_active_fixturedef(name) for name in names]
        return all((known := self.fixtures.get(place_of(each))) is not None and known.kept for each in used)

    def warm(self, items: Mapping[str, pytest.Item], functions: Mapping[str, Sequence[str]]) -> None:
        """Run the shortest test of each function here, so that no child has to import what they need; then in a child.

        Raises UsageError where that child fails: it has no change in it.
        """
        shortest = {min(reached, key=lambda node: self.reach[node]["seconds"]) for reached in functions.values()}
        from mutmut.mutation import trampoline

        trampoline.set_mutant_under_test("stats")  # what a fixture reaches decides whether it is kept
        for node in sorted(shortest):
            runtestprotocol(items[node], log=False, nextitem=None)
        trampoline.set_mutant_under_test(None)
        os.environ.pop("MUTANT_UNDER_TEST", None)
        gc.collect()
        gc.freeze()  # a child's collector leaves these pages alone, so they need not be copied
        if code := ended(fork("", [items[node] for node in sorted(shortest)], self))[1]:
            raise pytest.UsageError(f"a child without a change ends with {code}: what others say cannot be trusted")

    def note(self, running: dict[int, dict[str, Any]], out: TextIO) -> None:
        """Wait for one of the children and write down what came of its mutant."""
        child, code = ended()
        row = running.pop(child)
        order, function = row.pop("order"), row.pop("function")
        if code > 0:
            by = order[min(code, len(order)) - 1]
            self.killers.setdefault(function, Counter())[by] += 1
            row["by"] = by
        out.write(json.dumps({**row, "reached": len(order), "code": code, "killed": code != 0}) + "\n")
        out.flush()

    def look(self, items: Sequence[pytest.Item]) -> None:
        """Run each test once and note which functions it reaches and how long it takes; unchanged files are known."""
        from mutmut.mutation import trampoline

        source = hashlib.sha256((self.work / "written.json").read_bytes()).hexdigest()
        place = self.work / f"reach-{source[:12]}.json"  # what a test reaches is true of one source alone
        self.reach = json.loads(place.read_text(encoding="utf-8")) if place.exists() else {}
        trampoline.record_trampoline_hit = lambda name, caller=None: self.hits.add(name)
        digests = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in {item.path for item in items}}
        trampoline.set_mutant_under_test("stats")
        fresh = [item for item in items if self.reach.get(item.nodeid, {}).get("digest") != digests[item.path]]
        for item, following in zip(fresh, [*fresh[1:], None], strict=True):
            self.hits, self.setup = set(), 0.0
            start = time.process_time()
            if any(report.failed for report in runtestprotocol(item, log=False, nextitem=following)):
                raise pytest.UsageError(f"{item.nodeid} fails without any change")
            spent = time.process_time() - start - self.setup
            given = self.fixtures_of(item)
            hits = sorted(self.hits.union(*(fixture.hits for fixture in given)))
            setup = sum(fixture.seconds for fixture in given)
            self.reach[item.nodeid] = {
                "digest": digests[item.path],
                "hits": hits,
                "seconds": spent,
                "setup": setup,
            }
            if len(self.reach) % 100 == 0:
                place.write_text(json.dumps(self.reach), encoding="utf-8")
        os.environ.pop("MUTANT_UNDER_TEST", None)
        trampoline.set_mutant_under_test(None)
        place.write_text(json.dumps(self.reach), encoding="utf-8")

    def fixtures_of(self, item: pytest.Item) -> list[Fixture]:
        """Return the fixtures beyond single tests that a test is given, whoever set them up first."""
        known = getattr(item, "_fixtureinfo").name2fixturedefs.values()  # noqa: B009
        return [self.fixtures[place] for each in known if (place := place_of(each[-1])) in self.fixtures]

    def apart(self, items: Sequence[pytest.Item], folder: Path) -> None:
        """Give this child a folder of its own, and the recipe and cache of the small run as copies in it."""
        for item in items[:1]:
            item.config._tmp_path_factory._basetemp = folder  # type: ignore[attr-defined]
        kept = [fixture for fixture in self.fixtures.values() if fixture.kept]
        for fixture in kept:
            small = fixture.value
            if hasattr(small, "recipe") and hasattr(small, "cache"):
                recipe = shutil.copytree(small.recipe.parent, folder / "own-recipes") / small.recipe.name
                fixture.value = replace(small, recipe=recipe, cache=shutil.copytree(small.cache, folder / "own-cache"))
                for other in kept:
                    if getattr(other.value, "small", None) is small:
                        other.value.small = fixture.value

    def choose(self, mutant: Mapping[str, str], reached: Sequence[str]) -> list[str]:
        """Return the tests to run: all of the module's own file, then others, short ones first."""
        own = f"test_{mutant['module'].rpartition('.')[2]}.py::"
        order = sorted(reached, key=lambda node: (own not in node, self.reach[node]["seconds"]))
        chosen, spent = [], 0.0
        for node in order:
            spent += 0 if own in node else self.reach[node]["seconds"]
            if spent > self.elsewhere:
                break
            chosen.append(node)
        return chosen


@dataclass
class Fixture:
    """What the setup of a fixture of the session or of a module gave, reached and took."""

    value: Any = None
    hits: set[str] = field(default_factory=set)
    seconds: float = 0.0
    kept: bool = False


def place_of(fixturedef: pytest.FixtureDef[Any]) -> str:
    return f"{fixturedef.baseid}::{fixturedef.argname}"


def fork(name: str, items: Sequence[pytest.Item], driver: Driver) -> int:
    """Start a child with that mutant; return its number. Its exit code is the place of the test that fails, or 0."""
    child = os.fork()
    if child:
        return child
    code = LAST
    try:
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
        driver.apart(items, folder_of(os.getpid()))
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(WALL)
        from mutmut.mutation import trampoline

        trampoline.set_mutant_under_test(name)
        for place, (item, following) in enumerate(zip(items, [*items[1:], None], strict=True), start=1):
            known = driver.reach[item.nodeid]
            signal.setitimer(signal.ITIMER_PROF, SLACK + 3 * (known["seconds"] + known["setup"]))
            if any(report.failed for report in runtestprotocol(item, log=False, nextitem=following)):
                code = min(place, LAST)
                break
        else:
            code = 0
    finally:
        os._exit(code)


def ended(child: int = -1) -> tuple[int, int]:
    """Wait for a child, and return its number and its exit code, below 0 where a signal ended it."""
    child, status = os.waitpid(child, 0)
    shutil.rmtree(folder_of(child), ignore_errors=True)
    return child, os.waitstatus_to_exitcode(status)


def folder_of(child: int) -> Path:
    """Return the folder for the temporary files of a child, made where it is not there."""
    folder = Path(tempfile.gettempdir()) / f"skinframe-mutant-{child}"
    folder.mkdir(exist_ok=True)
    return folder


def rows(path: Path) -> Iterator[dict[str, Any]]:
    if path.exists():
        yield from (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())


def main() -> int:
    work = Path(sys.argv[1])
    todo = json.loads((work / "todo.json").read_text(encoding="utf-8"))
    children = int(sys.argv[2])
    words = [
        *sys.argv[4:],
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:timeout",
        f"--rootdir={work}",
        str(work / "tests"),
    ]
    # what imports the plugin in a process of its own meets mutmut there, and no mutant
    words += ["--ignore", str(work / "tests" / "oracle")]
    return int(pytest.main(words, plugins=[Driver(work, todo, children, float(sys.argv[3]))]))


if __name__ == "__main__":
    raise SystemExit(main())
