"""A parallel map in spawned worker processes that end with their parent; serial where processes do not pay."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from importlib.machinery import PathFinder
from multiprocessing.reduction import ForkingPickler
from types import ModuleType
from typing import Any, TypeVar

from skinframe.errors import DataError

Item = TypeVar("Item")
Result = TypeVar("Result")
CHUNK = 16
FEW = 64  # items; for fewer, starting a process takes longer than the work
PATIENCE = 60.0  # seconds without a finished item before a worker counts as hung, e.g. on a disk that went away
# a library of linear algebra reads its own when it is loaded; idle threads of OpenBLAS spin on others' cores
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OPENBLAS", "MKL", "OMP", "BLIS", "NUMEXPR")}
ONE_THREAD["VECLIB_MAXIMUM_THREADS"] = "1"
TICKS = 20  # the time is counted in this many waits: a machine that was suspended in between is not a hang


def chunked_map(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    workers: int,
    carries: object,
    patience: float = PATIENCE,
    remedy: str = "read with one worker",
) -> Iterator[Result]:
    """Yield function(item) in order, from `workers` spawned processes; serially for few items or one worker.

    `carries` is the object inside `function` whose class the workers must import; if a fresh interpreter could not (a
    class of a notebook or of a single-file plugin) the work is done serially. At most four chunks per worker are in
    flight, so memory stays flat. An interrupt cancels chunks that have not begun. Raises DataError naming a worker that
    was killed, or the items at which one hangs: no worker finished any for `patience` seconds. `remedy` tells the user
    what to do then.
    """
    if workers <= 1 or len(items) <= FEW or not _importable(function, type(carries)):
        yield from map(function, items)
        return
    chunks = [items[start : start + CHUNK] for start in range(0, len(items), CHUNK)]
    context = multiprocessing.get_context("spawn")  # forking a process that holds torch's threads can hang
    finished = context.RawValue("Q", 0)  # no lock, which a killed worker could keep: any change is progress
    with _spawning():
        pool = ProcessPoolExecutor(
            workers, mp_context=context, initializer=_start_worker, initargs=(function, finished)
        )
    waiting: deque[Future[list[Result]]] = deque()
    processes: dict[int, Any] = pool._processes  # type: ignore[assignment]  # filled as the pool starts them
    done, ended = 0, False
    try:
        for chunk in chunks:
            with _spawning():
                waiting.append(pool.submit(_apply, chunk))
            if len(waiting) >= 4 * workers:
                yield from _wait_for(waiting.popleft(), finished, patience)
                done += CHUNK
        while waiting:
            yield from _wait_for(waiting.popleft(), finished, patience)
            done += CHUNK
        ended = True
    except BrokenProcessPool:
        raise DataError(f"{_exit_status(dict(processes))}, possibly out of memory; rerun with one worker") from None
    except _HangError:
        names = ", ".join(map(str, processes))
        where = f"items {done + 1} to {min(done + CHUNK, len(items))} of {len(items)}"
        what = f"no progress for {patience:g} s in the worker at {where} (processes {names})"
        raise DataError(f"{what}; check that their disk responds, or {remedy}") from None
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        if not ended:  # at exit this process would wait for them: also for one that was starting as another was killed
            for process in list(processes.values()):
                process.kill()


class _HangError(Exception):
    """No worker has finished an item within the time limit."""


def _wait_for(chunk: Future[list[Result]], finished: Any, patience: float) -> list[Result]:
    """Return the results of a chunk; wait as long as any worker keeps finishing items."""
    left, seen = TICKS, finished.value
    while not wait([chunk], patience / TICKS).done:
        left = left - 1 if finished.value == seen else TICKS
        seen = finished.value
        if left == 0:
            raise _HangError
    return chunk.result()


def _exit_status(processes: Mapping[int, Any]) -> str:
    """Return which worker ended, and how; the pool itself terminates the others."""
    for pid, process in processes.items():
        process.join(5)  # it is dead or about to be; its exit code is known after joining
        code = process.exitcode
        if code not in (None, 0, -signal.SIGTERM):
            how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"exited with code {code}"
            return f"worker process {pid} {how}"
    return f"one of the worker processes {', '.join(map(str, processes))} was killed"


_TASK: list[tuple[Callable[[Any], Any], Any]] = []  # set once per worker, so that chunks do not carry the data set


def _start_worker(function: Callable[[Any], Any], finished: Any) -> None:
    """Leave Ctrl-C to the parent, and exit with it even if it is killed."""
    _TASK.append((function, finished))
    finished.value += 1  # starting up is progress, too
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_exit_after, args=(parent.join,), daemon=True).start()


def _apply(chunk: Sequence[Any]) -> list[Any]:
    function, finished = _TASK[0]
    results = []
    for item in chunk:
        results.append(function(item))
        finished.value += 1
    return results


def _exit_after(wait: Callable[[], None]) -> None:
    wait()
    os._exit(1)


def _importable(function: Callable[[Any], Any], kind: type) -> bool:
    top = kind.__module__.partition(".")[0]
    if top == "__main__" or PathFinder.find_spec(top) is None:
        return False
    try:
        ForkingPickler.dumps(function)
    except Exception:  # an object's own reduction may raise anything
        return False
    return True


_ONE_AT_A_TIME = threading.Lock()  # what a new process inherits belongs to the whole process


@contextmanager
def _spawning() -> Iterator[None]:
    """Keep a worker that is spawned meanwhile from running the caller's script again, and to one thread.

    It would run the script without a main guard. It inherits the environment, and its NumPy reads that when it loads.
    """
    with _ONE_AT_A_TIME:
        real, before = sys.modules["__main__"], {name: os.environ.get(name) for name in ONE_THREAD}
        sys.modules["__main__"] = ModuleType("__main__")
        os.environ.update(ONE_THREAD)
        try:
            yield
        finally:
            sys.modules["__main__"] = real
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
