"""A map over items in worker processes that ends when its parent does, and in this process where that is wiser."""

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
FEW = 64  # items for which starting a process takes longer than the work
PATIENCE = 60.0  # seconds in which no worker finishes an item; a file on a disk that went away must not hang us
TICKS = 20  # that time is counted in this many waits: a machine that was asleep in between is no hang


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

    `carries` is the object inside `function` whose class the workers must be able to import; where a fresh interpreter
    could not (a class of a notebook or of a single-file plugin) the work is done serially. At most four chunks a
    worker are under way, so memory stays flat. An interrupt cancels what has not begun. Raises DataError naming a
    worker that was killed, or the items at which one hangs: no worker finished any for `patience` seconds; `remedy`
    says what the user can do then.
    """
    if workers <= 1 or len(items) <= FEW or not _portable(function, type(carries)):
        yield from map(function, items)
        return
    chunks = [items[start : start + CHUNK] for start in range(0, len(items), CHUNK)]
    context = multiprocessing.get_context("spawn")  # forking a process that holds torch's threads can hang
    finished = context.RawValue("Q", 0)  # without a lock, which a killed worker could keep: any change is progress
    with _bare_main():
        pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(function, finished))
    waiting: deque[Future[list[Result]]] = deque()
    crew: dict[int, Any] = {}
    done = 0
    try:
        for chunk in chunks:
            with _bare_main():
                waiting.append(pool.submit(_apply, chunk))
            crew |= pool._processes
            if len(waiting) >= 4 * workers:
                yield from _answer(waiting.popleft(), finished, patience)
                done += CHUNK
        while waiting:
            yield from _answer(waiting.popleft(), finished, patience)
            done += CHUNK
    except BrokenProcessPool:
        raise DataError(f"{_ended(crew)}, perhaps for memory; run again with one worker") from None
    except _HangError:
        for process in crew.values():
            process.kill()  # or the end of this process would wait for it
        names = ", ".join(map(str, crew))
        where = f"items {done + 1} to {min(done + CHUNK, len(items))} of {len(items)}"
        what = f"no answer for {patience:g} s from the worker at {where} (processes {names})"
        raise DataError(f"{what}; see whether their disk still answers, or {remedy}") from None
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


class _HangError(Exception):
    """No worker finishes anything."""


def _answer(chunk: Future[list[Result]], finished: Any, patience: float) -> list[Result]:
    """Return the results of a chunk, however long it takes while items are being finished, by any worker."""
    left, seen = TICKS, finished.value
    while not wait([chunk], patience / TICKS).done:
        left = left - 1 if finished.value == seen else TICKS
        seen = finished.value
        if left == 0:
            raise _HangError
    return chunk.result()


def _ended(crew: Mapping[int, Any]) -> str:
    """Say which worker ended, and how; the pool itself terminates the others."""
    for pid, process in crew.items():
        process.join(5)  # it is dead or about to be; its code is known when it has been waited for
        code = process.exitcode
        if code not in (None, 0, -signal.SIGTERM):
            how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
            return f"worker process {pid} {how}"
    return f"one of the worker processes {', '.join(map(str, crew))} was killed"


_TASK: list[tuple[Callable[[Any], Any], Any]] = []  # filled once, in a worker, so that no chunk carries the data set


def _begin(function: Callable[[Any], Any], finished: Any) -> None:
    """Leave Ctrl-C to the parent, and end with it even when it is killed."""
    _TASK.append((function, finished))
    finished.value += 1  # a start is progress, too
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.join,), daemon=True).start()


def _apply(chunk: Sequence[Any]) -> list[Any]:
    function, finished = _TASK[0]
    found = []
    for item in chunk:
        found.append(function(item))
        finished.value += 1
    return found


def _end_with(wait: Callable[[], None]) -> None:
    wait()
    os._exit(1)


def _portable(function: Callable[[Any], Any], kind: type) -> bool:
    top = kind.__module__.partition(".")[0]
    if top == "__main__" or PathFinder.find_spec(top) is None:
        return False
    try:
        ForkingPickler.dumps(function)
    except Exception:  # whatever an object's own reduction raises
        return False
    return True


@contextmanager
def _bare_main() -> Iterator[None]:
    """Keep a spawned worker from running the caller's script again: it would, for a script without a main guard."""
    real = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = real
