"""A process that does items: one JSON line in, one out. Imports are paid once; it ends with whoever started it."""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
from typing import TextIO

from skinframe.grid.request import item_of
from skinframe.grid.work import do
from skinframe.preparing.image_cache import Shelf


def main() -> None:
    """Do what is asked on standard input until it closes; the run has the main thread, where signals arrive."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints must not be taken for an answer
    asked: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin, asked), daemon=True).start()
    shelf = Shelf()
    while (line := asked.get()) is not None:
        outcome = do(item_of(line), shelf)
        said = {"code": outcome.code, "message": outcome.message, "seconds": outcome.seconds}
        print(json.dumps(said), file=answers, flush=True)


def _listen(stream: TextIO, asked: queue.SimpleQueue[str | None]) -> None:
    """Pass lines on. When the asker is gone, killed even, stop: the run writes a checkpoint and leaves its folder."""
    for line in stream:
        asked.put(line)
    asked.put(None)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
