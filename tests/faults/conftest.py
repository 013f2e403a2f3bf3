"""A warm process that forks runs, the tiny run of 40 steps, and what two run folders must share."""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
STEPS = 40
TINY = (
    "train.epochs=4", "train.batch_size=4", "train.save_every=3", "train.gradient_norms_every=20",
    "evaluate.resamples=2", "evaluate.max_new_tokens=1", "evaluate.cases=0",
)  # fmt: skip

for name, file in (("faults_shim", HERE / "shim.py"), ("features_small", HERE.parent / "features" / "small.py")):
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    if name not in sys.modules:
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)


@dataclass
class Warm:
    """Starts forked command lines. A process that has died is named with its end and its last words, and replaced."""

    logs: Path
    environment: dict[str, str]
    numbers: Iterator[int] = field(default_factory=itertools.count)
    process: subprocess.Popen[str] | None = None

    def begin(self) -> None:
        """Start the process and wait until it has imported everything."""
        with self.said.open("a") as errors:
            self.process = subprocess.Popen(
                [sys.executable, str(HERE / "forker.py")],
                env=self.environment, cwd=self.logs, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                text=True,
            )  # fmt: skip
        self.heard("while it was starting")

    @property
    def said(self) -> Path:
        return self.logs / "forker.log"

    def heard(self, when: str) -> dict[str, Any]:
        """Return the next answer. Fails with the end of the process, or with its own account of a request."""
        assert self.process is not None
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            code = self.process.wait(timeout=60)
            end = f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
            pytest.fail(f"the warm process was {end} {when}; it said: {self.said.read_text()[-2000:] or 'nothing'}")
        answer = dict(json.loads(line))
        assert "error" not in answer, f"{answer['error']} {when}"
        return answer

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self.process is not None
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # its end is told below
            print(json.dumps(request), file=self.process.stdin, flush=True)
        return self.heard(f"at the request {request}")

    def start(self, argv: list[str], **more: Any) -> tuple[int, Path]:
        if self.process is None or self.process.poll() is not None:  # an earlier test has told of its end
            self.begin()
        log = self.logs / f"{next(self.numbers)}.log"
        return int(self.ask({"argv": [str(word) for word in argv], "log": str(log), **more})["pid"]), log

    def wait(self, pid: int) -> int:
        return int(self.ask({"wait": pid})["code"])

    def ended(self, pid: int, seconds: float) -> int | None:
        """Return the exit code, or None where the process lives on after that time."""
        deadline = time.monotonic() + seconds
        while True:
            code = self.ask({"wait": pid, "poll": True})["code"]
            if code is not None or time.monotonic() > deadline:
                return None if code is None else int(code)
            time.sleep(0.005)

    def run(self, argv: list[str], **more: Any) -> tuple[int, str]:
        """Return exit code and output of a command line run to its end."""
        pid, log = self.start(argv, **more)
        return self.wait(pid), log.read_text()

    def close(self) -> None:
        if self.process is None or self.process.stdin is None:
            return
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()


@pytest.fixture(scope="session")
def warm(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    made = Warm(tmp_path_factory.mktemp("logs"), environment)
    made.begin()
    yield made
    made.close()


@pytest.fixture
def cold(environment: dict[str, str], tmp_path: Path) -> Iterator[Warm]:
    """Such a process that has imported nothing, to be ill-treated: the session's own goes on living."""
    made = Warm(tmp_path, {**environment, "SKINFRAME_TEST_COLD": "1"})
    made.begin()
    yield made
    made.close()


@dataclass
class Tiny:
    """The run of 40 steps: four epochs of ten, a checkpoint after every third step of one."""

    small: Any
    warm: Warm
    read: Callable[[Path], dict[str, str]]

    def words(self, out: Path, *more: str) -> list[str]:
        sets = [word for override in TINY for word in ("--set", override)]
        return list(self.small.words(out, *sets, *more))

    def folder(self, out: Path) -> Path:
        (found,) = (path for path in out.iterdir() if path.name.startswith("small-"))
        return found

    def contents(self, out: Path) -> dict[str, str]:
        return self.read(self.folder(out))

    def run(self, out: Path, *more: str, fault: str = "", record: Path | None = None, few: str = "") -> tuple[int, str]:
        env = {"SKINFRAME_TEST_FAULT": fault, "SKINFRAME_TEST_RECORD": str(record or ""), "SKINFRAME_TEST_FEW": few}
        return self.warm.run(self.words(out, *more), env=env)


@pytest.fixture(scope="session")
def tiny(small: Any, warm: Warm, contents: Callable[[Path], dict[str, str]]) -> Tiny:
    return Tiny(small, warm, contents)


@dataclass(frozen=True)
class Whole:
    """The uninterrupted run, its calls of the operating system and how long it took."""

    folder: Path
    files: dict[str, str]
    calls: list[dict[str, str]]
    seconds: float


@pytest.fixture(scope="session")
def whole(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    out = tmp_path_factory.mktemp("whole")
    code, said = tiny.run(out / "first")  # fills the cache
    assert code == 0, said
    record = out / "calls.jsonl"
    began = time.monotonic()
    code, said = tiny.run(out, record=record)
    assert code == 0, said
    folder = tiny.folder(out)
    assert (folder / "log.jsonl").read_bytes().count(b"\n") == STEPS
    calls = [json.loads(line) for line in record.read_text().splitlines()]
    return Whole(folder, tiny.read(folder), calls, time.monotonic() - began)
