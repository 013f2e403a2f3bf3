"""A worker process: reads one JSON line per run, answers with one, and ends with its parent process."""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
from typing import TextIO

from skinframe.grid.run_item import attempt
from skinframe.grid.run_request import item_of
from skinframe.preparing.image_cache import ImageTableCache


def main() -> None:
    """Make the runs named on standard input until it closes; a run has the main thread, where signals arrive."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints must not be read as an answer
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin, lines), daemon=True).start()
    image_tables = ImageTableCache()
    while (line := lines.get()) is not None:
        outcome = attempt(item_of(line), image_tables)
        answer = {"code": outcome.code, "message": outcome.message, "seconds": outcome.seconds}
        print(json.dumps(answer), file=answers, flush=True)


def _listen(stream: TextIO, lines: queue.SimpleQueue[str | None]) -> None:
    """Pass lines on. When the parent process is gone, stop: the run writes a checkpoint and releases its folder."""
    for line in stream:
        lines.put(line)
    lines.put(None)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
