"""A signal inside an epoch: finish the step, write a checkpoint, leave. A second one ends the process at once."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

HEARD = (signal.SIGTERM, signal.SIGINT)


class Stop:
    """What has been asked for so far."""

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None

    def hear(self, number: int, frame: FrameType | None) -> None:
        """Note the first signal, and give both their default action back: the kernel answers the next one itself.

        A handler of Python's own would wait for the running operation to end.
        """
        self.signal = signal.Signals(number)
        for heard in HEARD:
            signal.signal(heard, signal.SIG_DFL)
        print(f"{self.signal.name}: finishing the step, then a checkpoint; again to stop at once", file=sys.stderr)

    def leave(self, where: str) -> NoReturn:
        """End as the signal asked: exit 143 after SIGTERM, KeyboardInterrupt (130 on the command line) after SIGINT."""
        text = f"{where} is whole; continue with --resume"
        if self.signal == signal.SIGINT:
            raise KeyboardInterrupt(f"interrupted; {text}")
        print(f"terminated; {text}", file=sys.stderr)
        raise SystemExit(128 + signal.SIGTERM)


@contextmanager
def listening() -> Iterator[Stop]:
    """Hear SIGTERM and SIGINT while the block runs; only the main thread can."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {heard: signal.signal(heard, stop.hear) for heard in HEARD}
    try:
        yield stop
    finally:
        for heard, handler in before.items():
            signal.signal(heard, handler)
