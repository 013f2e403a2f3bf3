"""One progress display: rate, time left and the parts of the loss; plain lines where the output is no terminal."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from skinframe.guarded import printable

PLAIN_SECONDS = 10.0


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
        self._done = 0

    def update(self, done: int, total: int, note: str = "") -> None:
        self._done = done
        self._progress.update(self._bar, completed=done, total=total, note=escape(printable(note)))
        now = time.monotonic()
        if not self._display._live and now - self._said >= PLAIN_SECONDS:
            self._said = now
            rate = done / max(now - self._start, 1e-9)
            left = (total - done) / rate if rate else 0.0
            self._display.say(f"{self._name}: {done}/{total} · {rate:.1f}/s · {left:.0f} s left {note}".rstrip())

    def close(self) -> None:
        seconds = time.monotonic() - self._start
        self._display.say(f"{self._name}: done in {seconds:.1f} s")


def parts_note(line: dict[str, Any]) -> str:
    """Return the parts of the loss in one short phrase."""
    parts = [f"{name} {part['value']:.3f}" for name, part in line["parts"].items() if "value" in part]
    return f"loss {line['total']:.3f} ({', '.join(parts)})"
