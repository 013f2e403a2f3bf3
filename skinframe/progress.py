"""One progress display: rate, time left and the parts of the loss; plain lines where the output is no terminal."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from skinframe.printable_text import printable

PLAIN_SECONDS = 10.0
SETTLED = 3.0  # seconds of work before a time left is shown: workers start first


class Display:
    """Says what happens. `quiet` says nothing (the Python functions in a test)."""

    def __init__(self, quiet: bool = False) -> None:
        self.console = Console(stderr=True, quiet=quiet, highlight=False)
        self._live = self.console.is_terminal and not quiet

    def say(self, text: str) -> None:
        self.console.print(printable(text), soft_wrap=True, markup=False)

    @contextmanager
    def task(self, name: str) -> Iterator[Task]:
        """Show one stage of work."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        tail = (TimeRemainingColumn(), TextColumn("{task.fields[note]}"))
        with Progress(*columns, *tail, console=self.console, disable=not self._live, transient=True) as progress:
            task = Task(self, name, progress)
            yield task
            task.close()


class Task:
    """One stage: `update` with what is done, of how much, and a short note."""

    def __init__(self, display: Display, name: str, progress: Progress) -> None:
        self._display, self._name, self._progress = display, name, progress
        self._bar = progress.add_task(escape(printable(name)), total=None, note="")
        self._start = self._said = time.monotonic()
        self._rate = Rate()

    def update(self, done: int, total: int, note: str = "") -> None:
        self._progress.update(self._bar, completed=done, total=total, note=escape(printable(note)))
        now = time.monotonic()
        self._rate.seen(done, now)
        if not self._display._live and now - self._said >= PLAIN_SECONDS:
            self._said = now
            self._display.say(f"{self._name}: {done}/{total}{self._rate.text(done, total, now)} {note}".rstrip())

    def close(self) -> None:
        seconds = time.monotonic() - self._start
        self._display.say(f"{self._name}: done in {seconds:.1f} s")


class Rate:
    """The rate of one stage, of the work done here: what was there at the first report (a cache's, a resume's) and the
    time until then (workers that start) do not count."""

    def __init__(self) -> None:
        self._first: tuple[int, float] | None = None

    def seen(self, done: int, now: float) -> None:
        """Take the first report as the start."""
        if self._first is None:
            self._first = done, now

    def text(self, done: int, total: int, now: float) -> str:
        """Return the rate and the time left, empty while too little was seen to say."""
        before, start = self._first or (done, now)
        if now - start < SETTLED or done <= before:
            return ""
        rate = (done - before) / (now - start)
        return f" · {rate:.1f}/s · {_time(max(total - done, 0) / rate)} left"


def _time(seconds: float) -> str:
    """Return '45 s', '12 min' or '3.5 h'."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def parts_note(line: dict[str, Any]) -> str:
    """Return the parts of the loss in one short phrase."""
    parts = [f"{name} {part['value']:.3f}" for name, part in line["parts"].items() if "value" in part]
    return f"loss {line['total']:.3f} ({', '.join(parts)})"
