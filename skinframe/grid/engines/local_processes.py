"""Runs on this machine: in this process for one worker, else in worker processes that reuse their data."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from skinframe.data.worker_pool import ONE_THREAD
from skinframe.errors import Problem, RecipeError
from skinframe.grid.run_item import ItemResult, attempt
from skinframe.grid.run_request import RunItem
from skinframe.preparing.image_cache import ImageTableCache
from skinframe.untrusted_files import UnreadableError, parse_object

PATIENCE = 120  # seconds that a worker gets to write a checkpoint when it is stopped


@dataclass(kw_only=True)
class LocalProcesses:
    """`workers` processes of `threads` threads each; 0 fills the cores. What they print goes to files in `logs`."""

    workers: int
    threads: int
    logs: Path
    _running: list[subprocess.Popen[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.workers < 0:
            raise RecipeError("--workers", [Problem("local", f"must be at least 1, got {self.workers}")])
        self.workers = self.workers or max(1, cores() // self.threads)

    def __str__(self) -> str:
        count = "1 process" if self.workers == 1 else f"{self.workers} processes"
        return f"{count} of {self.threads} thread{'s' * (self.threads > 1)} on this machine"

    def submit(self, items: Sequence[RunItem]) -> Iterator[ItemResult]:
        if min(self.workers, len(items)) <= 1:
            image_tables = ImageTableCache()
            yield from (attempt(item, image_tables) for item in items)
            return
        todo: queue.SimpleQueue[RunItem] = queue.SimpleQueue()
        ended: queue.SimpleQueue[ItemResult] = queue.SimpleQueue()
        for item in items:
            todo.put(item)
        self.logs.mkdir(parents=True, exist_ok=True)
        stopped = threading.Event()
        for number in range(min(self.workers, len(items))):
            threading.Thread(target=self._work, args=(number, todo, ended, stopped), daemon=True).start()
        try:
            for _ in items:
                yield ended.get()
        finally:
            stopped.set()
            self._stop()

    def _work(
        self,
        number: int,
        todo: queue.SimpleQueue[RunItem],
        ended: queue.SimpleQueue[ItemResult],
        stopped: threading.Event,
    ) -> None:
        worker: subprocess.Popen[str] | None = None
        while not stopped.is_set():
            try:
                item = todo.get_nowait()
            except queue.Empty:
                break
            if worker is None or worker.poll() is not None:
                worker = self._start(number)
            ended.put(_ask(worker, item))
        if worker is not None and worker.stdin is not None:
            worker.stdin.close()  # a worker ends when its input is closed

    def _start(self, number: int) -> subprocess.Popen[str]:
        with (self.logs / f"worker-{number}.log").open("a", encoding="utf-8") as log:
            worker = subprocess.Popen(
                [sys.executable, "-m", "skinframe.grid.engines.worker_process"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, **ONE_THREAD},  # torch takes the recipe's train.threads
                start_new_session=True,  # Ctrl-C reaches this process alone, which then asks each worker to stop once
            )
        self._running.append(worker)
        return worker

    def _stop(self) -> None:
        """End the workers: each finishes its step, writes a checkpoint and leaves."""
        for worker in self._running:
            if worker.poll() is None:
                worker.terminate()
        for worker in self._running:
            try:
                worker.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                worker.kill()
        self._running.clear()


def _ask(worker: subprocess.Popen[str], item: RunItem) -> ItemResult:
    assert worker.stdin is not None
    assert worker.stdout is not None
    try:
        print(item.to_json(), file=worker.stdin, flush=True)
        answer = parse_object(worker.stdout.readline(), "the answer of a worker")
        return ItemResult(item, int(answer["code"]), str(answer["message"]), float(answer["seconds"]))
    except (OSError, UnreadableError, ValueError, TypeError, KeyError):
        code = worker.wait(PATIENCE)
        killed = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        return ItemResult(item, 1, f"its process {killed}; check the memory, then rerun to continue")


def cores() -> int:
    """Return the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
